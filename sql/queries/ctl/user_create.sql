-- A new user named $1 with the password hash $2, and its namespace.
-- parameters: name, password_hash
WITH n AS (INSERT INTO skylark.namespaces (name, kind) VALUES ($1::text, 'user') RETURNING id)
INSERT INTO skylark.users (id, password_hash) SELECT id, $2::text FROM n
