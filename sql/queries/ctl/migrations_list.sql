-- The applied migrations in order.
SELECT version, name, checksum, applied_at FROM skylark.schema_migrations ORDER BY version
