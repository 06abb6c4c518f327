-- Which schema the database has: its highest migration and a checksum over all of them.
SELECT COALESCE(max(version), 0), encode(sha256(convert_to(COALESCE(string_agg(checksum, '' ORDER BY version), ''), 'UTF8')), 'hex')
FROM skylark.schema_migrations
