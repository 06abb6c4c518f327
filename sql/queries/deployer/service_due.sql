-- hot
-- Wakes the deployers for the service $1, unless that waits there already.
-- parameters: service_id
INSERT INTO skylark.wakes (service_id)
SELECT $1::uuid
WHERE NOT EXISTS (SELECT FROM skylark.wakes w WHERE w.service_id = $1::uuid)
