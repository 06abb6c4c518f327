-- hot
-- Milliseconds until a service falls due; below 0 when one is overdue, null when there is none.
SELECT (date_part('epoch', min(q.due_at) - clock_timestamp()) * 1000)::bigint
FROM skylark.autoscaling_queue q
WHERE q.due_at < 'infinity'
