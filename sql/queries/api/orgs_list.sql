-- hot
-- The organisations in which the token with hash $1 may do anything; $2 is not used by a route without a namespace. company is what
-- clients of 2015 look for; Skylark keeps none.
-- parameters: token_hash, namespace
-- columns: token_id, user_name, granted, token_unmarked, document
SELECT a.token_id, a.user_name, a.granted, a.token_unmarked,
       (SELECT COALESCE(json_agg(json_build_object(
               'name', n.name, 'company', '', 'created_at', skylark.iso_time(n.created_at), 'access', LEAST(m.access, t.scope))
                                 ORDER BY n.name), '[]'::json)
        FROM skylark.memberships m
        JOIN skylark.namespaces n ON n.id = m.namespace_id AND n.kind = 'organisation'
        WHERE m.user_id = a.user_id)::text AS document
FROM skylark.access($1::bytea, $2::text) a
JOIN skylark.api_tokens t ON t.id = a.token_id
