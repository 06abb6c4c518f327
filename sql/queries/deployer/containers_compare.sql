-- Compares all containers of the installation ($1: an array of {id, instance, state, unhealthy}) with the rows. Makes each
-- service due whose rows say something else and wakes the deployers; returns the ids of strays: containers that no live row
-- stands for. A row comes before its container and a removed row never comes back, so a stray is never wanted again.
-- parameters: containers
-- columns: container_id, woken
WITH there AS (
         SELECT x.* FROM jsonb_to_recordset($1::jsonb) AS x (id text, instance uuid, state text, unhealthy boolean)),
     different AS (
         SELECT i.service_id
         FROM skylark.instances i
         LEFT JOIN there t ON t.instance = i.id AND t.id = i.container_id
         WHERE i.state IN ('created', 'running', 'exited')
           AND (i.state IS DISTINCT FROM t.state OR (t.unhealthy AND i.ready_at IS NOT NULL AND i.unroute_requested_at IS NULL))
         UNION
         SELECT i.service_id
         FROM there t
         JOIN skylark.instances i ON i.id = t.instance
         WHERE i.state = 'intended'),
     -- What waits there already is about all that is different now, and a pass that is under way sees for itself.
     woken AS (
         INSERT INTO skylark.wakes (service_id)
         SELECT d.service_id
         FROM different d
         JOIN skylark.reconcile_queue q ON q.service_id = d.service_id AND q.lease_owner IS NULL
         WHERE NOT EXISTS (SELECT FROM skylark.wakes w WHERE w.service_id = d.service_id)
         RETURNING 1)
SELECT t.id AS container_id, (SELECT count(*) FROM woken) AS woken
FROM there t
WHERE NOT EXISTS (SELECT FROM skylark.instances i
                  WHERE i.id = t.instance AND i.state <> 'removed' AND COALESCE(i.container_id, t.id) = t.id)
