-- Notes that the engine $1 answered: its name $2, version $3, CPUs $4 and memory $5.
-- parameters: engine_id, name, version, cpus, memory_bytes
INSERT INTO skylark.engines AS e (engine_id, name, version, cpus, memory_bytes, state)
VALUES ($1::text, $2::text, $3::text, $4::integer, $5::bigint, 'reachable')
ON CONFLICT (engine_id) DO UPDATE
SET name = EXCLUDED.name, version = EXCLUDED.version, cpus = EXCLUDED.cpus, memory_bytes = EXCLUDED.memory_bytes,
    state = 'reachable', message = '', observed_at = now(),
    changed_at = CASE WHEN e.state = 'reachable' THEN e.changed_at ELSE now() END
