-- one row
-- Makes the partition of the table $1 for the day $2: made, there, busy (try again) or refused.
-- parameters: table, day
-- columns: outcome
SELECT skylark.partition_make($1::text, $2::date) AS outcome
