-- Compares all containers of the installation ($1: an array of {id, instance, state, unhealthy}) with the rows. Makes each
-- service due whose rows say something else and wakes the deployers; returns the ids of containers that no row knows.
-- parameters: containers
-- columns: container_id, woken
WITH there AS (
         SELECT x.* FROM jsonb_to_recordset($1::jsonb) AS x (id text, instance uuid, state text, unhealthy boolean)),
     different AS (
         SELECT i.service_id
         FROM skylark.instances i
         LEFT JOIN there t ON t.instance = i.id
         WHERE i.state IN ('created', 'running', 'exited')
           AND (i.state IS DISTINCT FROM t.state OR (t.unhealthy AND i.ready_at IS NOT NULL AND i.unroute_requested_at IS NULL))
         UNION
         SELECT i.service_id
         FROM there t
         JOIN skylark.instances i ON i.id = t.instance
         WHERE i.state IN ('intended', 'removed')),
     -- Locked in the order of the key, as everybody does who changes several: nobody waits in a circle.
     due AS (
         SELECT l.service_id
         FROM skylark.reconcile_queue l
         WHERE l.service_id IN (SELECT d.service_id FROM different d) AND l.lease_owner IS NULL
         ORDER BY l.service_id
         FOR UPDATE),
     woken AS (
         UPDATE skylark.reconcile_queue q
         SET wakes = q.wakes + 1, due_at = LEAST(q.due_at, now())
         FROM due
         WHERE q.service_id = due.service_id
         RETURNING pg_notify('skylark_services', q.service_id::text))
SELECT t.id AS container_id, (SELECT count(*) FROM woken) AS woken
FROM there t
WHERE NOT EXISTS (SELECT FROM skylark.instances i WHERE i.id = t.instance)
