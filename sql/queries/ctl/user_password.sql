-- Sets the password hash of the user $1 to $2; $3: whether the tokens stay (a trigger revokes them otherwise).
-- parameters: name, password_hash, keep_tokens
UPDATE skylark.users u
SET password_hash = $2::text, password_changed_at = clock_timestamp()
FROM skylark.namespaces n
WHERE n.id = u.id AND n.name = $1::text AND set_config('skylark.keep_tokens', $3::text, true) IS NOT NULL
