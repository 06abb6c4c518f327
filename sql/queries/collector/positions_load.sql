-- hot
-- How far the logs of the instances $1 (an array of uuids) are stored; not those that are complete, nor what is no
-- instance (yet).
SELECT i.id, i.service_id, COALESCE(p.next_seq, 0), COALESCE(p.stdout_at_ns, 0), COALESCE(p.stdout_lines_at, 0),
       COALESCE(p.stderr_at_ns, 0), COALESCE(p.stderr_lines_at, 0), COALESCE(p.open_at_ns, 0)
FROM unnest($1::uuid[]) AS wanted (id)
JOIN skylark.instances i ON i.id = wanted.id
LEFT JOIN skylark.log_positions p ON p.instance_id = i.id
WHERE p.completed_at IS NULL
