-- one row
-- Deletes tokens that were revoked or expired $1 milliseconds ago, $2 at the most.
-- parameters: retention_ms, batch
-- columns: deleted
SELECT skylark.tokens_prune($1::bigint * interval '1 millisecond', $2::integer) AS deleted
