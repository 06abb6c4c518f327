-- hot
-- Who the token with hash $1 is, in the flat form of 2015; null when $3 names another user. $2 is not used by a route without a
-- namespace. is_available, api_revoked and email are what clients of then look for: a token that may ask is neither, and Skylark
-- knows no e-mail addresses.
-- parameters: token_hash, namespace, user_name
-- columns: token_id, user_name, granted, token_unmarked, document
SELECT a.token_id, a.user_name, a.granted, a.token_unmarked,
       CASE WHEN $3::text IS NULL OR $3::text = a.user_name THEN json_build_object(
           'username', a.user_name,
           'is_available', true,
           'is_active', u.disabled_at IS NULL,
           'api_revoked', t.revoked_at IS NOT NULL,
           'email', '',
           'joined_at', skylark.iso_time(own.created_at),
           'last_login', (SELECT skylark.iso_time(max(l.created_at))
                          FROM skylark.api_tokens l
                          WHERE l.user_id = a.user_id AND l.by_login),
           'token_prefix', t.token_prefix,
           'token_scope', t.scope,
           'token_description', t.description,
           'token_created_at', skylark.iso_time(t.created_at),
           'token_expires_at', skylark.iso_time(skylark.token_ends_at(t)),
           'namespaces', (
               SELECT json_agg(n.name ORDER BY n.name)
               FROM skylark.memberships m JOIN skylark.namespaces n ON n.id = m.namespace_id
               WHERE m.user_id = a.user_id))::text END AS document
FROM skylark.access($1::bytea, $2::text) a
JOIN skylark.api_tokens t ON t.id = a.token_id
JOIN skylark.users u ON u.id = a.user_id
JOIN skylark.namespaces own ON own.id = a.user_id
