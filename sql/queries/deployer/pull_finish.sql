-- Ends the pull of the image $1 by the deployer $2: $3 the image's id (null: there is none), $4 the error ('': none).
-- Makes the services due that wait for it, notes it in their events, and wakes the deployers.
-- parameters: image_ref, deployer, image_id, error
WITH pull AS (
         UPDATE skylark.image_pulls
         SET state = CASE WHEN $4::text = '' THEN 'done' ELSE 'failed' END, finished_at = clock_timestamp(),
             failures = CASE WHEN $4::text = '' THEN 0 ELSE failures + 1 END, image_id = $3::text, error = $4::text,
             progress = '', lease_owner = NULL, lease_until = NULL
         WHERE image_ref = $1::text AND lease_owner = $2::text
         RETURNING image_ref, image_id, error),
     waiting AS (
         SELECT s.id, s.name, s.namespace_id, pull.image_ref, pull.image_id, pull.error
         FROM pull
         JOIN skylark.services s ON s.image_name || ':' || s.image_tag = pull.image_ref AND s.deleted_at IS NULL
         JOIN skylark.service_status st ON st.service_id = s.id AND st.image_generation IS DISTINCT FROM s.generation),
     noted AS (
         INSERT INTO skylark.events (namespace_name, service_name, service_id, actor, action, reason, request_id)
         SELECT n.name, w.name, w.id, 'deployer',
                CASE WHEN w.error = '' THEN 'image_pulled' WHEN w.image_id IS NOT NULL THEN 'image_local_used'
                     ELSE 'image_pull_failed' END,
                w.image_ref || CASE WHEN w.error <> '' THEN ': ' || w.error ELSE '' END, q.request_id
         FROM waiting w
         JOIN skylark.namespaces n ON n.id = w.namespace_id
         JOIN skylark.reconcile_queue q ON q.service_id = w.id)
INSERT INTO skylark.wakes (service_id)
SELECT w.id FROM waiting w
