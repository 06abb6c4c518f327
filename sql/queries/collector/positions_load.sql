-- hot
-- How far the logs of the instances $1 (an array of uuids) are stored; not those that are complete, nor what is no
-- instance (yet).
-- parameters: instances
-- columns: instance_id, service_id, next_seq, stdout_at_ns, stdout_lines_at, stderr_at_ns, stderr_lines_at, open_at_ns
SELECT i.id AS instance_id, i.service_id, COALESCE(p.next_seq, 0) AS next_seq,
       COALESCE(p.stdout_at_ns, 0) AS stdout_at_ns, COALESCE(p.stdout_lines_at, 0) AS stdout_lines_at,
       COALESCE(p.stderr_at_ns, 0) AS stderr_at_ns, COALESCE(p.stderr_lines_at, 0) AS stderr_lines_at,
       COALESCE(p.open_at_ns, 0) AS open_at_ns
FROM unnest($1::uuid[]) AS wanted (id)
JOIN skylark.instances i ON i.id = wanted.id
LEFT JOIN skylark.log_positions p ON p.instance_id = i.id
WHERE p.completed_at IS NULL
