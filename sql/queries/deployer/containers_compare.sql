-- Compares all containers of the installation ($1: an array of {id, instance, state}) with the rows. Makes each
-- service due whose rows say something else and wakes the deployers; returns the ids of containers that no row knows.
WITH there AS (
         SELECT x.* FROM jsonb_to_recordset($1::jsonb) AS x (id text, instance uuid, state text)),
     different AS (
         SELECT i.service_id
         FROM skylark.instances i
         LEFT JOIN there t ON t.instance = i.id
         WHERE i.state IN ('created', 'running', 'exited') AND i.state IS DISTINCT FROM t.state
         UNION
         SELECT i.service_id
         FROM there t
         JOIN skylark.instances i ON i.id = t.instance
         WHERE i.state IN ('intended', 'removed')),
     woken AS (
         UPDATE skylark.reconcile_queue q
         SET wakes = q.wakes + 1, due_at = LEAST(q.due_at, now())
         FROM different d
         WHERE q.service_id = d.service_id AND q.lease_owner IS NULL
         RETURNING pg_notify('skylark_services', q.service_id::text))
SELECT t.id, (SELECT count(*) FROM woken)
FROM there t
WHERE NOT EXISTS (SELECT FROM skylark.instances i WHERE i.id = t.instance)
