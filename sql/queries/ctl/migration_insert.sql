-- Notes that the migration $1, named $2, with checksum $3, is applied.
-- parameters: version, name, checksum
INSERT INTO skylark.schema_migrations (version, name, checksum) VALUES ($1::integer, $2::text, $3::text)
