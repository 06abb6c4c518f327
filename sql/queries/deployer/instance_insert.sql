-- Notes the intention to make the instance $1 of the service $2 in slot $3 from generation $4 after $5 failures, on the
-- engine $6, with the ports $8 (an array), if the deployer $7 still holds the lease.
-- parameters: instance_id, service_id, slot, generation, failures, engine_id, deployer, ports
-- columns: instance_id
WITH made AS (
    INSERT INTO skylark.instances (id, service_id, slot, generation, restarts, engine_id)
    SELECT $1::uuid, q.service_id, $3::integer, $4::bigint, $5::integer, $6::text
    FROM skylark.reconcile_queue q
    WHERE q.service_id = $2::uuid AND q.lease_owner = $7::text AND q.lease_until > now()
    RETURNING id),
ports AS (
    INSERT INTO skylark.instance_ports (instance_id, position, container_port, protocol, endpoint_type)
    SELECT m.id, e.position, p.container_port, p.protocol, p.endpoint_type
    FROM made m
    CROSS JOIN jsonb_array_elements($8::jsonb) WITH ORDINALITY AS e (entry, position)
    CROSS JOIN LATERAL jsonb_to_record(e.entry) AS p (container_port integer, protocol text, endpoint_type text))
SELECT m.id AS instance_id FROM made m
