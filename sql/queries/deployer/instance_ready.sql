-- Notes that the instance $1 answers, if the deployer $2 still holds the lease: from now on fronts send it requests.
-- parameters: instance_id, deployer
UPDATE skylark.instances i
SET ready_at = COALESCE(i.ready_at, now())
FROM skylark.reconcile_queue q
WHERE i.id = $1::uuid AND i.state = 'running' AND q.service_id = i.service_id AND q.lease_owner = $2::text AND q.lease_until > now()
