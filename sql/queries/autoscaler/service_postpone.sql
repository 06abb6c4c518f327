-- hot
-- Puts off for a minute the service that is due longest: its evaluation alone takes longer than a statement may.
-- columns: service_id
UPDATE skylark.autoscaling_queue q
SET due_at = clock_timestamp() + interval '1 minute'
FROM (SELECT d.service_id FROM skylark.autoscaling_queue d WHERE d.due_at <= now() ORDER BY d.due_at LIMIT 1 FOR UPDATE SKIP LOCKED) first
WHERE q.service_id = first.service_id
RETURNING q.service_id
