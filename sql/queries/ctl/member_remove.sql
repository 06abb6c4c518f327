-- Takes the user $2's right in the namespace $1 away.
-- parameters: namespace, user_name
DELETE FROM skylark.memberships m
USING skylark.namespaces n, skylark.namespaces u
WHERE n.id = m.namespace_id AND n.name = $1::text AND u.id = m.user_id AND u.name = $2::text
