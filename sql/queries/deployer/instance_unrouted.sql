-- Notes that no front sends the instance $1 requests any more, if the deployer $2 still holds the lease.
-- parameters: instance_id, deployer
UPDATE skylark.instances i
SET unrouted_at = COALESCE(i.unrouted_at, now())
FROM skylark.reconcile_queue q
WHERE i.id = $1::uuid AND q.service_id = i.service_id AND q.lease_owner = $2::text AND q.lease_until > now()
