-- Prolongs the lease of the deployer $2 on the service $1 to $3 milliseconds from now; no row when it is lost.
-- parameters: service_id, deployer, lease_ms
UPDATE skylark.reconcile_queue
SET lease_until = now() + $3::bigint * interval '1 millisecond'
WHERE service_id = $1::uuid AND lease_owner = $2::text AND lease_until > now()
