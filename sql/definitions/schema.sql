-- The schema itself, and what was applied to it: the tables of sql/bootstrap.sql.

COMMENT ON SCHEMA skylark IS 'Skylark, the self-hosted container service. Every process meets the others here and nowhere else.';

COMMENT ON TABLE skylark.schema_migrations IS 'One row an applied file of sql/tables/; forward only.';
COMMENT ON COLUMN skylark.schema_migrations.version IS 'Number at the front of the file name; applied in this order, without a gap.';
COMMENT ON COLUMN skylark.schema_migrations.name IS 'Rest of the file name.';
COMMENT ON COLUMN skylark.schema_migrations.checksum IS 'SHA-256 of the file as it was applied; an edited file is refused.';
COMMENT ON COLUMN skylark.schema_migrations.applied_at IS 'When it was applied.';
COMMENT ON COLUMN skylark.schema_migrations.applied_by IS 'Database role that applied it.';

COMMENT ON TABLE skylark.schema_definitions IS 'One row: which definitions (views, functions, triggers, rights, comments) were applied.';
COMMENT ON COLUMN skylark.schema_definitions.only_row IS 'Always true, so that there is one row.';
COMMENT ON COLUMN skylark.schema_definitions.checksum IS 'SHA-256 of sql/reset.sql and the files of sql/definitions/ as they were applied.';
COMMENT ON COLUMN skylark.schema_definitions.applied_at IS 'When they were applied.';
COMMENT ON COLUMN skylark.schema_definitions.applied_by IS 'Database role that applied them.';
