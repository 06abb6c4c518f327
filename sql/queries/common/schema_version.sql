-- Which schema the database has: its highest migration and a checksum over all of them.
-- columns: version, checksum
SELECT COALESCE(max(version), 0) AS version,
       encode(sha256(convert_to(COALESCE(string_agg(checksum, '' ORDER BY version), ''), 'UTF8')), 'hex') AS checksum
FROM skylark.schema_migrations
