-- Makes partitions of log_rows $2 days ahead and drops those older than $1 milliseconds.
SELECT partition_name, what FROM skylark.log_partitions_maintain($1::bigint * interval '1 millisecond', $2::integer)
