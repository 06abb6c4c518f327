-- The days whose partition of the table $1 is older than $2 milliseconds.
-- parameters: table, retention_ms
-- columns: day
SELECT day FROM skylark.partitions_expired($1::text, $2::bigint * interval '1 millisecond') AS e (day)
