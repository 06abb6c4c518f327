-- hot
-- one row
-- Milliseconds until a service falls due or a lease on one that is due runs out; null when none does within a minute. And
-- whether something is due already: it is another deployer's at this moment, or somebody has it locked.
-- columns: due_in_ms, overdue
SELECT ceil(extract(epoch FROM min(n.at) FILTER (WHERE n.at > clock_timestamp()) - clock_timestamp()) * 1000)::bigint AS due_in_ms,
       COALESCE(bool_or(n.at <= clock_timestamp()), false) OR (SELECT min(w.id) FROM skylark.wakes w) IS NOT NULL AS overdue
FROM (SELECT GREATEST(q.due_at, q.lease_until) AS at
      FROM skylark.reconcile_queue q
      WHERE q.due_at < now() + interval '1 minute') n
