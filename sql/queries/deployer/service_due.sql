-- hot
-- Makes the service $1 due now and wakes the deployers.
-- parameters: service_id
-- columns: notified
UPDATE skylark.reconcile_queue
SET wakes = wakes + 1, due_at = LEAST(due_at, now())
WHERE service_id = $1::uuid
RETURNING pg_notify('skylark_services', service_id::text) AS notified
