-- one row
-- Deletes the oldest of $1 (instances, image_pulls, events, …) that are older than $2 milliseconds, $3 at the most. -1: try again later.
-- parameters: what, retention_ms, batch
-- columns: deleted
SELECT skylark.history_prune($1::text, $2::bigint * interval '1 millisecond', $3::integer) AS deleted
