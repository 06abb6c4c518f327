-- The id of the open transaction, so that its fate can be asked for should the connection break in COMMIT.
-- columns: transaction_id
SELECT pg_current_xact_id_if_assigned()::text AS transaction_id
