-- hot
-- one row
-- Milliseconds until a service falls due, of those that are not yet (null: there is none), and for how long the one that is
-- due longest has been (0: none is).
-- columns: due_in_ms, overdue_ms
SELECT CEIL(date_part('epoch', (SELECT min(q.due_at) FROM skylark.autoscaling_queue q WHERE q.due_at > now() AND q.due_at < 'infinity')
                               - clock_timestamp()) * 1000)::bigint AS due_in_ms,
       COALESCE(CEIL(date_part('epoch', clock_timestamp() - (SELECT min(q.due_at) FROM skylark.autoscaling_queue q WHERE q.due_at <= now()))
                     * 1000), 0)::bigint AS overdue_ms
