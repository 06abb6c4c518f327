-- Makes partitions of the table $1 $3 days ahead and drops those older than $2 milliseconds.
-- parameters: table, retention_ms, days_ahead
-- columns: partition_name, what
SELECT partition_name, what
FROM skylark.partitions_maintain($1::text, $2::bigint * interval '1 millisecond', $3::integer)
