-- The tokens of the user $1, for people.
-- parameters: user_name
-- columns: id, begins, scope, description, created_at, last_used_at, expires_at, revoked_at
SELECT t.id, t.token_prefix AS begins, t.scope, t.description, t.created_at::timestamptz(0) AS created_at,
       t.last_used_at::timestamptz(0) AS last_used_at, t.expires_at::timestamptz(0) AS expires_at,
       t.revoked_at::timestamptz(0) AS revoked_at
FROM skylark.api_tokens t
JOIN skylark.namespaces n ON n.id = t.user_id
WHERE n.name = $1::text
ORDER BY t.id
