-- Takes the right to store $2 (logs or samples) of the engine $1, if no other session has it; and whose containers they are.
SELECT pg_try_advisory_lock(hashtextextended('skylark.collector:' || $2::text || ':' || $1::text, 0)), i.id
FROM skylark.installation i
WHERE i.only_row
