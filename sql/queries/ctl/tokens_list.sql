-- The tokens of the user $1, for people.
-- parameters: user_name
-- columns: id, begins, scope, description, created_at, last_used_at, valid_until, idle_limit, revoked_at
SELECT t.id, t.token_prefix AS begins, t.scope, t.description, t.created_at::timestamptz(0) AS created_at,
       t.last_used_at::timestamptz(0) AS last_used_at, skylark.token_ends_at(t)::timestamptz(0) AS valid_until, t.idle_limit,
       t.revoked_at::timestamptz(0) AS revoked_at
FROM skylark.api_tokens t
JOIN skylark.namespaces n ON n.id = t.user_id
WHERE n.name = $1::text
ORDER BY t.id
