-- What must stand before the first migration: the schema and the list of applied migrations.
-- `skylarkctl migrate` runs this under its advisory lock, each time; it changes nothing that is there.
CREATE SCHEMA IF NOT EXISTS skylark;
COMMENT ON SCHEMA skylark IS 'Skylark, the self-hosted container service. Every process meets the others here and nowhere else.';

CREATE TABLE IF NOT EXISTS skylark.schema_migrations (
    version integer PRIMARY KEY CHECK (version > 0),
    name text NOT NULL,
    checksum text NOT NULL CHECK (checksum ~ '^[0-9a-f]{64}$'),
    applied_at timestamptz NOT NULL DEFAULT now(),
    applied_by text NOT NULL DEFAULT session_user
);
COMMENT ON TABLE skylark.schema_migrations IS 'One row an applied migration; forward only.';
COMMENT ON COLUMN skylark.schema_migrations.version IS 'Number at the front of the file name; applied in this order, without a gap.';
COMMENT ON COLUMN skylark.schema_migrations.name IS 'Rest of the file name.';
COMMENT ON COLUMN skylark.schema_migrations.checksum IS 'SHA-256 of the file as it was applied; an edited migration is refused.';
COMMENT ON COLUMN skylark.schema_migrations.applied_at IS 'When it was applied.';
COMMENT ON COLUMN skylark.schema_migrations.applied_by IS 'Database role that applied it.';
