-- hot
-- Who the token with hash $1 is and which namespaces it may use; $2 is not used by a route without a namespace.
-- parameters: token_hash, namespace
-- columns: token_id, user_name, granted, token_unmarked, document
SELECT a.token_id, a.user_name, a.granted, a.token_unmarked,
       json_build_object(
           'username', a.user_name,
           'namespaces', (
               SELECT json_agg(json_build_object('name', n.name, 'kind', n.kind, 'access', LEAST(m.access, t.scope))
                               ORDER BY n.name)
               FROM skylark.memberships m JOIN skylark.namespaces n ON n.id = m.namespace_id
               WHERE m.user_id = a.user_id),
           'token', json_build_object(
               'prefix', t.token_prefix, 'scope', t.scope, 'description', t.description,
               'created_at', skylark.iso_time(t.created_at), 'expires_at', skylark.iso_time(skylark.token_ends_at(t))))::text AS document
FROM skylark.access($1::bytea, $2::text) a
JOIN skylark.api_tokens t ON t.id = a.token_id
