-- Which schema the database has: its highest file of tables, a checksum over all of them, and the definitions' checksum.
-- columns: version, checksum, definitions
SELECT COALESCE(max(version), 0) AS version,
       encode(sha256(convert_to(COALESCE(string_agg(checksum, '' ORDER BY version), ''), 'UTF8')), 'hex') AS checksum,
       COALESCE((SELECT d.checksum FROM skylark.schema_definitions d), '') AS definitions
FROM skylark.schema_migrations
