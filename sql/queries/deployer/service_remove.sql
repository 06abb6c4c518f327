-- Removes the row of the deleted service $1, now that nothing of it is left on the engine, if the deployer $2 still holds
-- the lease. Notes it as an event by the request $3.
-- parameters: service_id, deployer, request_id
WITH noted AS (
         INSERT INTO skylark.events (namespace_name, service_name, service_id, actor, action, request_id)
         SELECT n.name, s.name, s.id, 'deployer', 'service_removed', NULLIF($3::text, '')
         FROM skylark.services s
         JOIN skylark.namespaces n ON n.id = s.namespace_id
         JOIN skylark.reconcile_queue q ON q.service_id = s.id AND q.lease_owner = $2::text AND q.lease_until > now()
         WHERE s.id = $1::uuid AND s.deleted_at IS NOT NULL
         RETURNING service_id)
DELETE FROM skylark.services s USING noted WHERE s.id = noted.service_id
