-- hot
-- Milliseconds until a service falls due or a lease on one that is due runs out; null when none does within a minute.
SELECT GREATEST(ceil(extract(epoch FROM min(GREATEST(q.due_at, q.lease_until)) - clock_timestamp()) * 1000), 0)::bigint
FROM skylark.reconcile_queue q
WHERE q.due_at < now() + interval '1 minute'
