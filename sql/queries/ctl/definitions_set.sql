-- Notes that the definitions with checksum $1 are applied.
-- parameters: checksum
INSERT INTO skylark.schema_definitions (checksum) VALUES ($1::text)
ON CONFLICT (only_row) DO UPDATE
SET checksum = EXCLUDED.checksum, applied_at = EXCLUDED.applied_at, applied_by = EXCLUDED.applied_by
