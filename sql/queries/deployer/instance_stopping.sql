-- Notes that the instance $1 was told to stop (SIGTERM), if the deployer $2 still holds the lease; the first time counts.
-- parameters: instance_id, deployer
UPDATE skylark.instances i
SET stop_requested_at = COALESCE(i.stop_requested_at, now())
FROM skylark.reconcile_queue q
WHERE i.id = $1::uuid AND q.service_id = i.service_id AND q.lease_owner = $2::text AND q.lease_until > now()
