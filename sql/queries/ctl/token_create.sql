-- A token of the user $1: hash $2 (bytea), prefix $3, scope $4, description $5, valid for $6 days (0: until it is revoked; null: for as
-- long as it is used, and for a year after).
-- parameters: user_name, token_hash, token_prefix, scope, description, days
INSERT INTO skylark.api_tokens (user_id, token_hash, token_prefix, scope, description, expires_at, idle_limit)
SELECT u.id, $2::bytea, $3::text, $4::skylark.access_right, $5::text, now() + NULLIF($6::integer, 0) * interval '1 day',
       CASE WHEN $6::integer IS NULL THEN interval '365 days' END
FROM skylark.users u
JOIN skylark.namespaces n ON n.id = u.id
WHERE n.name = $1::text
