-- hot
-- Writes how the service $1 stands after a pass of the deployer $2, if it still holds the lease: $3 the revision acted
-- upon, $4 the condition, $5 the message, $6 the generation of which all wanted instances run (null: not so yet). When an
-- update can't go on because its instances fail, that is an event, once an update. Returns a row when it was written.
-- parameters: service_id, deployer, revision, condition, message, generation
-- columns: service_id
WITH before AS (
         SELECT st.condition, st.observed_generation FROM skylark.service_status st WHERE st.service_id = $1::uuid),
     written AS (
         UPDATE skylark.service_status st
         SET observed_revision = $3::bigint, condition = $4::text, message = $5::text,
             observed_generation = COALESCE($6::bigint, st.observed_generation), observed_at = now(), running = c.running,
             started_at = CASE WHEN c.running > 0 AND st.running = 0 THEN c.first_started_at ELSE st.started_at END,
             stopped_at = CASE WHEN c.running = 0 AND st.running > 0 AND c.stopped THEN now() ELSE st.stopped_at END
         FROM skylark.reconcile_queue q,
              LATERAL (SELECT count(i.id)::integer AS running, min(i.started_at) AS first_started_at,
                              bool_or(s.target_state = 'STOPPED') AS stopped
                       FROM skylark.services s
                       LEFT JOIN skylark.instances i ON i.service_id = s.id AND i.state = 'running'
                       WHERE s.id = $1::uuid) c
         WHERE st.service_id = $1::uuid AND q.service_id = st.service_id AND q.lease_owner = $2::text AND q.lease_until > now()
         RETURNING st.service_id, q.request_id),
     noted AS (
         INSERT INTO skylark.events (namespace_name, service_name, service_id, actor, action, reason, request_id)
         SELECT n.name, s.name, s.id, 'deployer', 'update_failing', $5::text, w.request_id
         FROM written w
         CROSS JOIN before b
         JOIN skylark.services s ON s.id = w.service_id
         JOIN skylark.namespaces n ON n.id = s.namespace_id
         WHERE $4::text = 'failing' AND b.condition <> 'failing' AND b.observed_generation BETWEEN 1 AND s.generation - 1
           AND NOT EXISTS (SELECT FROM skylark.events e
                           WHERE e.service_id = s.id AND e.occurred_at >= s.updated_at AND e.action = 'update_failing'))
SELECT w.service_id FROM written w
