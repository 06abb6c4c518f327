-- The instances that exist.
-- columns: namespace, instance, id, state, restarts, started_at, container, lines
SELECT namespace, instance, left(instance_id::text, 8) AS id, state, restarts, started_at::timestamptz(0) AS started_at, container,
       log_lines AS lines
FROM skylark.instances_overview
WHERE state NOT IN ('removed', 'exited')
ORDER BY namespace, instance
