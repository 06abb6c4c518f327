-- A token of the user $1: hash $2 (bytea), prefix $3, scope $4, description $5, valid for $6 days (null: for ever).
-- parameters: user_name, token_hash, token_prefix, scope, description, days
INSERT INTO skylark.api_tokens (user_id, token_hash, token_prefix, scope, description, expires_at)
SELECT u.id, $2::bytea, $3::text, $4::skylark.access_right, $5::text, now() + $6::integer * interval '1 day'
FROM skylark.users u
JOIN skylark.namespaces n ON n.id = u.id
WHERE n.name = $1::text
