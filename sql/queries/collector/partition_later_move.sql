-- one row
-- Keeps the partition of the table $1 for times years ahead out of the way of the days: there, moved, used or busy (try again).
-- parameters: table
-- columns: outcome
SELECT skylark.partition_later_move($1::text) AS outcome
