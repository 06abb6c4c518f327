-- Gives the user $2 the right $3 in the namespace $1.
-- parameters: namespace, user_name, access
INSERT INTO skylark.memberships (user_id, namespace_id, access)
SELECT u.id, n.id, $3::skylark.access_right
FROM skylark.namespaces n
JOIN skylark.namespaces u ON u.name = $2::text AND u.kind = 'user'
WHERE n.name = $1::text
ON CONFLICT (user_id, namespace_id) DO UPDATE SET access = EXCLUDED.access
