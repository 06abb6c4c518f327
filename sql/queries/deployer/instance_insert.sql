-- Notes the intention to make the instance $1 of the service $2 in slot $3 from generation $4 after $5 failures, on the
-- engine $6, if the deployer $7 still holds the lease.
INSERT INTO skylark.instances (id, service_id, slot, generation, restarts, engine_id)
SELECT $1::uuid, q.service_id, $3::integer, $4::bigint, $5::integer, $6::text
FROM skylark.reconcile_queue q
WHERE q.service_id = $2::uuid AND q.lease_owner = $7::text AND q.lease_until > now()
