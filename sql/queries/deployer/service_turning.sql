-- hot
-- Whether the service $1 may have instances that are not made of what its row says now.
-- parameters: service_id
-- columns: turning
SELECT s.deleted_at IS NOT NULL OR st.observed_generation IS DISTINCT FROM s.generation AS turning
FROM skylark.services s
JOIN skylark.service_status st ON st.service_id = s.id
WHERE s.id = $1::uuid
