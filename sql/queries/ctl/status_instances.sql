-- The instances of the namespace $1 (NULL: of all) that exist, $2 at the most.
-- parameters: namespace, most
-- columns: namespace, instance, id, state, restarts, started_at, container, lines
SELECT namespace, instance, left(instance_id::text, 8) AS id, state, restarts, started_at::timestamptz(0) AS started_at, container,
       log_lines AS lines
FROM skylark.instances_overview
WHERE state IN ('intended', 'created', 'running') AND ($1::text IS NULL OR namespace = $1::text)
ORDER BY namespace, instance
LIMIT $2::int
