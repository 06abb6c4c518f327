-- Notes that the engine $1 answered: its name $2, version $3, CPUs $4 and memory $5, and the address $6 of its node (null: not known).
-- parameters: engine_id, name, version, cpus, memory_bytes, address
INSERT INTO skylark.engines AS e (engine_id, name, version, cpus, memory_bytes, address, state)
VALUES ($1::text, $2::text, $3::text, $4::integer, $5::bigint, $6::inet, 'reachable')
ON CONFLICT (engine_id) DO UPDATE
SET name = EXCLUDED.name, version = EXCLUDED.version, cpus = EXCLUDED.cpus, memory_bytes = EXCLUDED.memory_bytes,
    address = EXCLUDED.address, state = 'reachable', message = '', observed_at = now(),
    changed_at = CASE WHEN e.state = 'reachable' THEN e.changed_at ELSE now() END
