-- Notes that the engine $1 answered: its name $2, version $3, CPUs $4 and memory $5, and the address $6 of its node (null: not
-- known). Does not wait for whoever has its row locked: it is noted again with the next pass.
-- parameters: engine_id, name, version, cpus, memory_bytes, address
WITH free AS (
         SELECT e.engine_id FROM skylark.engines e WHERE e.engine_id = $1::text FOR NO KEY UPDATE SKIP LOCKED),
     known AS (
         UPDATE skylark.engines e
         SET name = $2::text, version = $3::text, cpus = $4::integer, memory_bytes = $5::bigint, address = $6::inet,
             state = 'reachable', message = '', observed_at = now(),
             changed_at = CASE WHEN e.state = 'reachable' THEN e.changed_at ELSE now() END
         FROM free
         WHERE e.engine_id = free.engine_id)
INSERT INTO skylark.engines (engine_id, name, version, cpus, memory_bytes, address, state)
VALUES ($1::text, $2::text, $3::text, $4::integer, $5::bigint, $6::inet, 'reachable')
ON CONFLICT (engine_id) DO NOTHING
