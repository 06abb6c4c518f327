-- The namespaces and who may do what in them, for people.
-- columns: name, kind, members, services
SELECT n.name, n.kind,
       COALESCE((SELECT string_agg(u.name || ' (' || m.access || ')', ', ' ORDER BY u.name)
                 FROM skylark.memberships m JOIN skylark.namespaces u ON u.id = m.user_id
                 WHERE m.namespace_id = n.id), '') AS members,
       (SELECT count(*) FROM skylark.services s WHERE s.namespace_id = n.id AND s.deleted_at IS NULL) AS services
FROM skylark.namespaces n
ORDER BY n.name
