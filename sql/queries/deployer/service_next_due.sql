-- hot
-- one row
-- Milliseconds until a service falls due or a lease on one that is due runs out; null when none does within a minute.
-- columns: due_in_ms
SELECT CASE WHEN n.at IS NOT NULL THEN GREATEST(ceil(extract(epoch FROM n.at - clock_timestamp()) * 1000), 0)::bigint END AS due_in_ms
FROM (SELECT min(GREATEST(q.due_at, q.lease_until)) AS at
      FROM skylark.reconcile_queue q
      WHERE q.due_at < now() + interval '1 minute') n
