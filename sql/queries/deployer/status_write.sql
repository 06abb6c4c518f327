-- hot
-- Writes how the service $1 stands after a pass of the deployer $2, if it still holds the lease: $3 the revision acted
-- upon, $4 the condition, $5 the message, $6 the generation of which all wanted instances run (null: not so yet).
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
