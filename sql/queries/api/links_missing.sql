-- Which of the names that are keys of $2 are no service of the namespace $1, as faults of the body.
-- parameters: namespace_id, wanted
-- columns: field, fault
SELECT 'linked_to_apps.' || k.name AS field, 'is no service of this namespace' AS fault
FROM jsonb_object_keys($2::jsonb) AS k (name)
WHERE NOT EXISTS (SELECT FROM skylark.services s
                  WHERE s.namespace_id = $1::bigint AND s.name = k.name AND s.deleted_at IS NULL)
ORDER BY k.name
