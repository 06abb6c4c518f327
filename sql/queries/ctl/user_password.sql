-- Sets the password hash of the user $1 to $2.
-- parameters: name, password_hash
UPDATE skylark.users u
SET password_hash = $2::text, password_changed_at = now()
FROM skylark.namespaces n
WHERE n.id = u.id AND n.name = $1::text
