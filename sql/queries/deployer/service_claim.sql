-- hot
-- Takes the service that has been due longest under a lease of $2 milliseconds for the deployer $1.
-- parameters: deployer, lease_ms
-- columns: service_id, revision, wakes, request_id, failures
WITH due AS (
    SELECT q.service_id
    FROM skylark.reconcile_queue q
    WHERE q.due_at <= now() AND (q.lease_until IS NULL OR q.lease_until < now())
    ORDER BY q.due_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED)
UPDATE skylark.reconcile_queue q
SET lease_owner = $1::text, lease_until = now() + $2::bigint * interval '1 millisecond'
FROM due
JOIN skylark.services s ON s.id = due.service_id
WHERE q.service_id = due.service_id
RETURNING q.service_id, s.revision, q.wakes, COALESCE(q.request_id, '') AS request_id, q.failures
