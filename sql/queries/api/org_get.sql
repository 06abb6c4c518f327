-- hot
-- The organisation $3, as orgs_list has it, for the token with hash $1; null when there is none, or no right in it. $2 is not used
-- by a route without a namespace.
-- parameters: token_hash, namespace, organisation
-- columns: token_id, user_name, granted, token_unmarked, document
SELECT a.token_id, a.user_name, a.granted, a.token_unmarked,
       (SELECT json_build_object(
               'name', n.name, 'company', '', 'created_at', skylark.iso_time(n.created_at), 'access', LEAST(m.access, t.scope))
        FROM skylark.memberships m
        JOIN skylark.namespaces n ON n.id = m.namespace_id AND n.kind = 'organisation' AND n.name = $3::text
        WHERE m.user_id = a.user_id)::text AS document
FROM skylark.access($1::bytea, $2::text) a
JOIN skylark.api_tokens t ON t.id = a.token_id
