-- Asks the fronts to send the instance $1 no more requests, if the deployer $2 still holds the lease.
-- parameters: instance_id, deployer
UPDATE skylark.instances i
SET unroute_requested_at = COALESCE(i.unroute_requested_at, now())
FROM skylark.reconcile_queue q
WHERE i.id = $1::uuid AND q.service_id = i.service_id AND q.lease_owner = $2::text AND q.lease_until > now()
