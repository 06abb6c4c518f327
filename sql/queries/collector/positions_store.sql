-- hot
-- Notes how far logs are stored ($1: an array of objects, one an instance), in the transaction that stores the rows. Where a
-- log is complete, makes the service due and wakes the deployers: the container may go.
-- parameters: positions
WITH reached AS (
         SELECT x.*, i.service_id
         FROM jsonb_to_recordset($1::jsonb)
             AS x (instance_id uuid, next_seq bigint, stdout_at_ns bigint, stdout_lines_at integer, stderr_at_ns bigint,
                   stderr_lines_at integer, open_at_ns bigint, bytes bigint, completed boolean)
         JOIN skylark.instances i ON i.id = x.instance_id),
     stored AS (
         INSERT INTO skylark.log_positions AS p
             (instance_id, service_id, next_seq, stdout_at_ns, stdout_lines_at, stderr_at_ns, stderr_lines_at, open_at_ns,
              stored_bytes, completed_at)
         SELECT r.instance_id, r.service_id, r.next_seq, r.stdout_at_ns, r.stdout_lines_at, r.stderr_at_ns, r.stderr_lines_at,
                r.open_at_ns, r.bytes, CASE WHEN r.completed THEN now() END
         FROM reached r
         ON CONFLICT (instance_id) DO UPDATE
         SET next_seq = EXCLUDED.next_seq, stdout_at_ns = EXCLUDED.stdout_at_ns,
             stdout_lines_at = EXCLUDED.stdout_lines_at, stderr_at_ns = EXCLUDED.stderr_at_ns,
             stderr_lines_at = EXCLUDED.stderr_lines_at, open_at_ns = EXCLUDED.open_at_ns, stored_bytes = p.stored_bytes + EXCLUDED.stored_bytes,
             updated_at = now(), completed_at = EXCLUDED.completed_at)
-- Only added to: nobody's lock on a service, or on its place in the queue, holds up lines of others.
INSERT INTO skylark.wakes (service_id)
SELECT DISTINCT r.service_id FROM reached r WHERE r.completed
