-- What became of the transaction $1: committed, aborted or in progress.
-- parameters: transaction_id
-- columns: fate
SELECT pg_xact_status($1::xid8) AS fate
