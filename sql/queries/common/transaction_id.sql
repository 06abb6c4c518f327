-- The id of the open transaction, so that its fate can be asked for should the connection break in COMMIT.
SELECT pg_current_xact_id_if_assigned()::text
