-- Makes the links of the service $1 exactly the object $2 ({service: alias}); those that stay are not touched.
-- After links_lock.
-- parameters: service_id, wanted
WITH wanted AS (SELECT t.namespace_id, t.id, e.value AS alias
                FROM jsonb_each_text($2::jsonb) e
                JOIN skylark.services s ON s.id = $1::uuid
                JOIN skylark.services t ON t.namespace_id = s.namespace_id AND t.name = e.key AND t.deleted_at IS NULL),
     gone AS (DELETE FROM skylark.links l
              WHERE l.service_id = $1::uuid
                AND NOT EXISTS (SELECT FROM wanted w WHERE w.id = l.target_service_id))
INSERT INTO skylark.links AS l (namespace_id, service_id, target_service_id, alias)
SELECT w.namespace_id, $1::uuid, w.id, w.alias FROM wanted w
ON CONFLICT (service_id, target_service_id) DO UPDATE SET alias = EXCLUDED.alias WHERE l.alias <> EXCLUDED.alias
