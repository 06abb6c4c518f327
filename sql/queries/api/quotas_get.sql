-- hot
-- How much the namespace $2 has and may have, for the token with hash $1. $3: requests a second that the front lets through for a
-- token, if it says so.
-- parameters: token_hash, namespace, request_rate
-- columns: token_id, user_name, granted, token_unmarked, document
SELECT a.token_id, a.user_name, a.granted, a.token_unmarked,
       CASE WHEN a.namespace_id IS NOT NULL THEN json_build_object(
           'namespace', $2::text,
           'quotas', (SELECT json_object_agg(q.name, json_build_object(
                                 'limit', skylark.quota_maximum(a.namespace_id, q.name),
                                 'use', skylark.quota_used(a.namespace_id, q.name)) ORDER BY q.name)
                      FROM skylark.quotas q WHERE q.namespace_id IS NULL),
           'requests_per_second', NULLIF($3::text, '')::integer)::text END AS document
FROM skylark.access($1::bytea, $2::text) a
