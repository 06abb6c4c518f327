-- hot
-- The user named $1, when logins are not refused: id and password hash.
-- parameters: user_name
-- columns: user_id, password_hash
SELECT u.id AS user_id, u.password_hash
FROM skylark.users u
JOIN skylark.namespaces n ON n.id = u.id
WHERE n.name = $1::text AND u.disabled_at IS NULL
