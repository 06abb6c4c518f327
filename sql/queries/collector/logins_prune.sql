-- one row
-- Deletes what counts no more of attempts to log in, $1 rows of each table at the most.
-- parameters: batch
-- columns: deleted
SELECT skylark.logins_prune($1::integer) AS deleted
