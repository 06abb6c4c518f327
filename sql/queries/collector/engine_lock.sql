-- one row
-- Takes the right to store $2 (logs or samples) of the engine $1, if no other session has it; and whose containers they are.
-- parameters: engine_id, what
-- columns: locked, installation_id
SELECT pg_try_advisory_lock(hashtextextended('skylark.collector:' || $2::text || ':' || $1::text, 0)) AS locked, i.id AS installation_id
FROM skylark.installation i
WHERE i.only_row
