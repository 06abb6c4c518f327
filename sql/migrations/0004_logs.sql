-- What instances print: log rows, partitioned by day, and how far each instance's log has been read.

CREATE TABLE skylark.log_rows (
    service_id uuid NOT NULL,
    logged_at timestamptz NOT NULL,
    instance_id uuid NOT NULL,
    seq bigint NOT NULL CHECK (seq >= 0),
    stream smallint NOT NULL CHECK (stream IN (1, 2)),
    message text NOT NULL,
    PRIMARY KEY (service_id, logged_at, instance_id, seq)
) PARTITION BY RANGE (logged_at);
CREATE TABLE skylark.log_rows_other PARTITION OF skylark.log_rows DEFAULT;
COMMENT ON TABLE skylark.log_rows IS 'One row a line that an instance printed. Partitioned by day (UTC); retention drops whole partitions.';
COMMENT ON COLUMN skylark.log_rows.service_id IS 'Whose line.';
COMMENT ON COLUMN skylark.log_rows.logged_at IS 'When the engine read the line.';
COMMENT ON COLUMN skylark.log_rows.instance_id IS 'Instance that printed it.';
COMMENT ON COLUMN skylark.log_rows.seq IS 'Number of the line in its instance''s log, from 0: keeps lines of the same instant in order, and no line is stored twice.';
COMMENT ON COLUMN skylark.log_rows.stream IS '1: standard output, 2: standard error.';
COMMENT ON COLUMN skylark.log_rows.message IS 'The line, without its end; bytes that are no UTF-8 stand as U+FFFD, NUL as U+2400.';
COMMENT ON TABLE skylark.log_rows_other IS 'Lines whose time falls into no daily partition, such as from a clock far off; kept no longer than the others.';
COMMENT ON COLUMN skylark.log_rows_other.service_id IS 'As in log_rows.';
COMMENT ON COLUMN skylark.log_rows_other.logged_at IS 'As in log_rows.';
COMMENT ON COLUMN skylark.log_rows_other.instance_id IS 'As in log_rows.';
COMMENT ON COLUMN skylark.log_rows_other.seq IS 'As in log_rows.';
COMMENT ON COLUMN skylark.log_rows_other.stream IS 'As in log_rows.';
COMMENT ON COLUMN skylark.log_rows_other.message IS 'As in log_rows.';

CREATE TABLE skylark.log_positions (
    instance_id uuid PRIMARY KEY REFERENCES skylark.instances ON DELETE CASCADE,
    service_id uuid NOT NULL,
    next_seq bigint NOT NULL DEFAULT 0 CHECK (next_seq >= 0),
    stdout_at_ns bigint NOT NULL DEFAULT 0,
    stdout_lines_at integer NOT NULL DEFAULT 0,
    stderr_at_ns bigint NOT NULL DEFAULT 0,
    stderr_lines_at integer NOT NULL DEFAULT 0,
    open_at_ns bigint NOT NULL DEFAULT 0,
    stored_bytes bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz
);
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

CREATE FUNCTION skylark.log_partitions_maintain(p_retention interval, p_days_ahead integer)
    RETURNS TABLE (partition_name text, what text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
    day date;
    child record;
BEGIN
    IF p_retention < interval '1 hour' OR p_days_ahead NOT BETWEEN 0 AND 60 THEN
        RAISE EXCEPTION 'retention must be an hour or more and days ahead 0 to 60' USING ERRCODE = '22023';
    END IF;
    -- One at a time; a second caller finds the work done.
    PERFORM pg_advisory_xact_lock(hashtext('skylark.log_partitions_maintain'));
    FOR child IN
        SELECT c.relname AS name, to_date(substring(c.relname FROM '\d{8}$'), 'YYYYMMDD') AS day
        FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'skylark.log_rows'::regclass AND c.relname ~ '^log_rows_\d{8}$'
    LOOP
        IF (child.day + 1)::timestamp AT TIME ZONE 'UTC' <= now() - p_retention THEN
            EXECUTE format('DROP TABLE skylark.%I', child.name);
            partition_name := child.name; what := 'dropped'; RETURN NEXT;
        END IF;
    END LOOP;
    DELETE FROM skylark.log_rows_other WHERE logged_at < now() - p_retention;
    FOR day IN SELECT generate_series(today - 1, today + p_days_ahead, interval '1 day')::date LOOP
        partition_name := 'log_rows_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('skylark.' || partition_name) IS NOT NULL;
        CONTINUE WHEN (day + 1)::timestamp AT TIME ZONE 'UTC' <= now() - p_retention;
        -- Rows that already wait in the default partition move over, or the new one would be refused.
        EXECUTE format('CREATE TABLE skylark.%I (LIKE skylark.log_rows INCLUDING ALL)', partition_name);
        EXECUTE format('WITH moved AS (DELETE FROM skylark.log_rows_other WHERE logged_at >= %1$L AND logged_at < %2$L RETURNING *)
                        INSERT INTO skylark.%3$I SELECT * FROM moved',
                       day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC', partition_name);
        EXECUTE format('ALTER TABLE skylark.log_rows ATTACH PARTITION skylark.%I FOR VALUES FROM (%L) TO (%L)',
                       partition_name, day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
        EXECUTE format('COMMENT ON TABLE skylark.%I IS %L', partition_name,
                       'Lines of ' || to_char(day, 'YYYY-MM-DD') || ' (UTC).');
        what := 'created'; RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION skylark.log_partitions_maintain IS 'Makes the daily partitions of log_rows up to p_days_ahead days from now and drops those wholly older than p_retention; returns what it did. Safe to call at any time, from several sessions.';
SELECT skylark.log_partitions_maintain(interval '7 days', 3);

CREATE FUNCTION skylark.history_prune(p_log_retention interval, p_event_retention interval)
    RETURNS TABLE (instances_deleted bigint, events_deleted bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    DELETE FROM skylark.instances WHERE state = 'removed' AND removed_at < now() - p_log_retention;
    GET DIAGNOSTICS instances_deleted = ROW_COUNT;
    DELETE FROM skylark.events WHERE occurred_at < now() - p_event_retention;
    GET DIAGNOSTICS events_deleted = ROW_COUNT;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION skylark.history_prune IS 'Deletes instances that are gone for longer than log rows are kept, and events older than p_event_retention.';

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA skylark FROM PUBLIC;
GRANT EXECUTE ON FUNCTION skylark.log_partitions_maintain, skylark.history_prune TO skylark_collector;
GRANT SELECT ON skylark.log_rows, skylark.log_positions TO skylark_api, skylark_deployer, skylark_collector, skylark_dba;
GRANT INSERT ON skylark.log_rows TO skylark_collector;
GRANT INSERT, UPDATE ON skylark.log_positions TO skylark_collector;
