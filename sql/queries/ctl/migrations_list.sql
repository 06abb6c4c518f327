-- The applied migrations in order.
-- columns: version, name, checksum, applied_at
SELECT version, name, checksum, applied_at FROM skylark.schema_migrations ORDER BY version
