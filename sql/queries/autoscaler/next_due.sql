-- hot
-- one row
-- Milliseconds until a service falls due; below 0 when one is overdue, null when there is none.
-- columns: due_in_ms
SELECT (date_part('epoch', min(q.due_at) - clock_timestamp()) * 1000)::bigint AS due_in_ms
FROM skylark.autoscaling_queue q
WHERE q.due_at < 'infinity'
