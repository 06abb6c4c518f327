-- The days for which the table $1 has no partition, up to $2 days from now.
-- parameters: table, days_ahead
-- columns: day
SELECT day FROM skylark.partitions_missing($1::text, $2::integer) AS m (day)
