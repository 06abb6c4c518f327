-- Which of the names that are keys of $2 are no service of the namespace $1, as faults of the body.
SELECT 'linked_to_apps.' || k.name, 'is no service of this namespace'
FROM jsonb_object_keys($2::jsonb) AS k (name)
WHERE NOT EXISTS (SELECT FROM skylark.services s
                  WHERE s.namespace_id = $1::bigint AND s.name = k.name AND s.deleted_at IS NULL)
ORDER BY k.name
