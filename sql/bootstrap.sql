-- What must stand before the first file of sql/tables/: the schema, and what was applied to it.
-- `skylarkctl migrate` runs this under its advisory lock, each time; it changes nothing that is there.
CREATE SCHEMA IF NOT EXISTS skylark;

CREATE TABLE IF NOT EXISTS skylark.schema_migrations (
    version integer PRIMARY KEY CHECK (version > 0),
    name text NOT NULL,
    checksum text NOT NULL CHECK (checksum ~ '^[0-9a-f]{64}$'),
    applied_at timestamptz NOT NULL DEFAULT now(),
    applied_by text NOT NULL DEFAULT session_user
);

CREATE TABLE IF NOT EXISTS skylark.schema_definitions (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    checksum text NOT NULL CHECK (checksum ~ '^[0-9a-f]{64}$'),
    applied_at timestamptz NOT NULL DEFAULT now(),
    applied_by text NOT NULL DEFAULT session_user
);

CREATE TABLE IF NOT EXISTS skylark.schema_objects (
    kind text NOT NULL,
    name text NOT NULL,
    definition text NOT NULL,
    PRIMARY KEY (kind, name)
);
