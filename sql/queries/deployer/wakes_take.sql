-- Takes wakes over into the queue, of a thousand services at the most: each is due now, and where what is wanted was changed,
-- failures count from 0 again. What somebody has locked is left for a later time, as are wakes of services that it belongs to;
-- those of services that are gone are dropped.
WITH free AS MATERIALIZED (
         SELECT q.service_id
         FROM (SELECT DISTINCT w.service_id FROM skylark.wakes w) n
         CROSS JOIN LATERAL (
             SELECT l.service_id FROM skylark.reconcile_queue l WHERE l.service_id = n.service_id FOR UPDATE SKIP LOCKED) q
         LIMIT 1000),
     taken AS MATERIALIZED (
         SELECT w.id
         FROM skylark.wakes w
         WHERE w.service_id IN (SELECT f.service_id FROM free f)
            OR NOT EXISTS (SELECT FROM skylark.reconcile_queue q WHERE q.service_id = w.service_id)
         FOR UPDATE SKIP LOCKED),
     gone AS (
         DELETE FROM skylark.wakes w USING taken t WHERE w.id = t.id
         RETURNING w.id, w.service_id, w.changed, w.request_id),
     news AS (
         SELECT g.service_id, count(*) AS n, bool_or(g.changed) AS changed,
                (array_agg(g.request_id ORDER BY g.id DESC) FILTER (WHERE g.changed))[1] AS request_id
         FROM gone g
         GROUP BY g.service_id)
UPDATE skylark.reconcile_queue q
SET wakes = q.wakes + n.n, due_at = LEAST(q.due_at, now()),
    failures = CASE WHEN n.changed THEN 0 ELSE q.failures END,
    request_id = CASE WHEN n.changed THEN n.request_id ELSE q.request_id END
FROM news n
WHERE q.service_id = n.service_id
