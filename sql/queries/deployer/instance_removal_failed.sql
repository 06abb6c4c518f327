-- Notes that the container of the instance $1 could not be killed or removed, and why ($3), if the deployer $2 still holds the lease:
-- it is tried again in $4 milliseconds.
-- parameters: instance_id, deployer, fault, wait_ms
UPDATE skylark.instances i
SET removal_failures = i.removal_failures + 1, removal_due_at = now() + $4::bigint * interval '1 millisecond', removal_fault = $3::text
FROM skylark.reconcile_queue q
WHERE i.id = $1::uuid AND q.service_id = i.service_id AND q.lease_owner = $2::text AND q.lease_until > now()
