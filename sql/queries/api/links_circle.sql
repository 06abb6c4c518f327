-- Through which of the services that the service $1 links to it reaches itself, as faults of the body.
-- parameters: service_id
-- columns: field, fault
WITH RECURSIVE walk (first_id, id) AS (
    SELECT l.target_service_id, l.target_service_id FROM skylark.links l WHERE l.service_id = $1::uuid
    UNION
    SELECT w.first_id, l.target_service_id FROM walk w JOIN skylark.links l ON l.service_id = w.id)
SELECT 'linked_to_apps.' || t.name AS field, 'links back to this service, which would close a circle' AS fault
FROM (SELECT DISTINCT w.first_id FROM walk w WHERE w.id = $1::uuid) c
JOIN skylark.services t ON t.id = c.first_id
ORDER BY t.name
