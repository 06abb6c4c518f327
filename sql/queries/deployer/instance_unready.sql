-- Notes that the instance $1 answers no more, if the deployer $2 still holds the lease: fronts send it no requests until it does.
-- parameters: instance_id, deployer
UPDATE skylark.instances i
SET ready_at = NULL
FROM skylark.reconcile_queue q
WHERE i.id = $1::uuid AND q.service_id = i.service_id AND q.lease_owner = $2::text AND q.lease_until > now()
