-- Which services link to the service $1, by name.
SELECT string_agg(f.name, ', ' ORDER BY f.name)
FROM skylark.links l
JOIN skylark.services f ON f.id = l.service_id AND f.deleted_at IS NULL
WHERE l.target_service_id = $1::uuid
