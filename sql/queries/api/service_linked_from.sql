-- Which services link to the service $1, by name.
-- parameters: service_id
-- columns: names
SELECT string_agg(f.name, ', ' ORDER BY f.name) AS names
FROM skylark.links l
JOIN skylark.services f ON f.id = l.service_id AND f.deleted_at IS NULL
WHERE l.target_service_id = $1::uuid
