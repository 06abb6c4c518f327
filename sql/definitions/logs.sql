-- What instances print: what the tables of 0004_logs mean.

COMMENT ON TABLE skylark.log_rows IS 'One row a line that an instance printed. Partitioned by day (UTC); retention drops whole partitions.';
COMMENT ON COLUMN skylark.log_rows.service_id IS 'Whose line.';
COMMENT ON COLUMN skylark.log_rows.logged_at IS 'When the engine read the line.';
COMMENT ON COLUMN skylark.log_rows.instance_id IS 'Instance that printed it.';
COMMENT ON COLUMN skylark.log_rows.seq IS 'Number of the line in its instance''s log, from 0: keeps lines of the same instant in order, and no line is stored twice.';
COMMENT ON COLUMN skylark.log_rows.stream IS '1: standard output, 2: standard error.';
COMMENT ON COLUMN skylark.log_rows.message IS 'The line, without its end; bytes that are no UTF-8 stand as U+FFFD, NUL as U+2400.';

COMMENT ON TABLE skylark.log_rows_other IS 'Lines from before the first daily partition; kept no longer than the others.';
COMMENT ON TABLE skylark.log_rows_later IS 'Lines of times years ahead, which nobody but a hand writes.';
DO $$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT a.attrelid::regclass AS name, a.attname AS key
        FROM pg_attribute a
        WHERE a.attrelid IN ('skylark.log_rows_other'::regclass, 'skylark.log_rows_later'::regclass) AND a.attnum > 0 AND NOT a.attisdropped
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', part.name, part.key, 'As in log_rows.');
    END LOOP;
END
$$;

COMMENT ON TABLE skylark.log_positions IS 'How far each instance''s log is stored; written in the transaction that stores the lines.';
COMMENT ON COLUMN skylark.log_positions.instance_id IS 'Whose log.';
COMMENT ON COLUMN skylark.log_positions.service_id IS 'Its service.';
COMMENT ON COLUMN skylark.log_positions.next_seq IS 'seq of the next line.';
COMMENT ON COLUMN skylark.log_positions.stdout_at_ns IS 'Engine''s time of the last stored line of standard output, in nanoseconds since 1970.';
COMMENT ON COLUMN skylark.log_positions.stdout_lines_at IS 'How many stored lines of standard output bear exactly that time.';
COMMENT ON COLUMN skylark.log_positions.stderr_at_ns IS 'The same for standard error.';
COMMENT ON COLUMN skylark.log_positions.stderr_lines_at IS 'The same for standard error.';
COMMENT ON COLUMN skylark.log_positions.open_at_ns IS 'Engine''s time of the oldest line that had begun and not ended; 0: none. The log is read again from there.';
COMMENT ON COLUMN skylark.log_positions.stored_bytes IS 'Bytes of message stored so far.';
COMMENT ON COLUMN skylark.log_positions.updated_at IS 'When lines were last stored.';
COMMENT ON COLUMN skylark.log_positions.completed_at IS 'When the ended instance''s log was stored to its last line; from then on its container may go.';

-- As the owner, since a lock on a row takes more rights than the collector has.
CREATE FUNCTION skylark.instances_hold(p_instances uuid[]) RETURNS SETOF uuid
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
AS $$
    SELECT i.id FROM skylark.instances i WHERE i.id = ANY (p_instances) FOR KEY SHARE SKIP LOCKED
$$;
COMMENT ON FUNCTION skylark.instances_hold IS 'Those of the instances whose rows nobody else has locked: until the transaction ends, rows that refer to them are added without a wait.';
