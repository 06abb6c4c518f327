-- Which definitions were applied, and when.
-- columns: checksum, applied_at
SELECT checksum, applied_at FROM skylark.schema_definitions
