-- Refuses ($2: yes) or takes again ($2: no) the user $1's logins and tokens.
-- parameters: name, disabled
UPDATE skylark.users u
SET disabled_at = CASE WHEN $2::boolean THEN COALESCE(u.disabled_at, now()) END
FROM skylark.namespaces n
WHERE n.id = u.id AND n.name = $1::text
