-- The users, for people.
-- columns: name, created_at, disabled_at, tokens
SELECT n.name, n.created_at::timestamptz(0) AS created_at, u.disabled_at::timestamptz(0) AS disabled_at,
       (SELECT count(*) FROM skylark.api_tokens t WHERE t.user_id = u.id AND COALESCE(skylark.token_ends_at(t) > now(), true)) AS tokens
FROM skylark.users u
JOIN skylark.namespaces n ON n.id = u.id
ORDER BY n.name
