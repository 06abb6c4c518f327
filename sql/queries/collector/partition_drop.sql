-- one row
-- Drops the partition of the table $1 for the day $2 if it is older than $3 milliseconds: dropped, gone or busy (try again).
-- parameters: table, day, retention_ms
-- columns: outcome
SELECT skylark.partition_drop($1::text, $2::date, $3::bigint * interval '1 millisecond') AS outcome
