-- What is kept how long: partitions by day, and history.

CREATE FUNCTION skylark.partitions_maintain(p_table text, p_retention interval, p_days_ahead integer)
    RETURNS TABLE (partition_name text, what text)
    -- Behind a slow query a DROP would hold up everybody who comes after it; then rather later.
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET lock_timeout = '5s'
AS $$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
    key text;
    day date;
    child record;
BEGIN
    IF p_table NOT IN ('log_rows', 'metric_samples') THEN
        RAISE EXCEPTION 'no table that is partitioned by day: %', p_table USING ERRCODE = '22023';
    END IF;
    IF p_retention < interval '1 hour' OR p_days_ahead NOT BETWEEN 0 AND 60 THEN
        RAISE EXCEPTION 'retention must be an hour or more and days ahead 0 to 60' USING ERRCODE = '22023';
    END IF;
    SELECT a.attname INTO key
    FROM pg_partitioned_table p
    JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
    WHERE p.partrelid = ('skylark.' || p_table)::regclass;
    -- One at a time; a second caller finds the work done.
    PERFORM pg_advisory_xact_lock(hashtext('skylark.partitions_maintain'));
    FOR child IN
        SELECT c.relname AS name, to_date(substring(c.relname FROM '\d{8}$'), 'YYYYMMDD') AS day
        FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = ('skylark.' || p_table)::regclass AND c.relname ~ '_\d{8}$'
    LOOP
        IF (child.day + 1)::timestamp AT TIME ZONE 'UTC' <= now() - p_retention THEN
            EXECUTE format('DROP TABLE skylark.%I', child.name);
            partition_name := child.name; what := 'dropped'; RETURN NEXT;
        END IF;
    END LOOP;
    EXECUTE format('DELETE FROM skylark.%I WHERE %I < %L', p_table || '_other', key, now() - p_retention);
    FOR day IN SELECT generate_series(today - 1, today + p_days_ahead, interval '1 day')::date LOOP
        partition_name := p_table || '_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('skylark.' || partition_name) IS NOT NULL;
        CONTINUE WHEN (day + 1)::timestamp AT TIME ZONE 'UTC' <= now() - p_retention;
        -- Rows that already wait in the default partition move over, or the new one would be refused.
        EXECUTE format('CREATE TABLE skylark.%I (LIKE skylark.%I INCLUDING ALL)', partition_name, p_table);
        EXECUTE format('WITH moved AS (DELETE FROM skylark.%1$I WHERE %2$I >= %3$L AND %2$I < %4$L RETURNING *)
                        INSERT INTO skylark.%5$I SELECT * FROM moved', p_table || '_other', key,
                       day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC', partition_name);
        EXECUTE format('ALTER TABLE skylark.%I ATTACH PARTITION skylark.%I FOR VALUES FROM (%L) TO (%L)', p_table,
                       partition_name, day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
        EXECUTE format('COMMENT ON TABLE skylark.%I IS %L', partition_name,
                       'Rows of ' || to_char(day, 'YYYY-MM-DD') || ' (UTC).');
        what := 'created'; RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION skylark.partitions_maintain IS 'Makes the daily partitions of p_table (log_rows or metric_samples) up to p_days_ahead days from now and drops those wholly older than p_retention; returns what it did. Safe to call at any time, from several sessions.';

CREATE FUNCTION skylark.history_prune(p_log_retention interval, p_event_retention interval)
    RETURNS TABLE (instances_deleted bigint, events_deleted bigint, decisions_deleted bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    DELETE FROM skylark.instances WHERE state = 'removed' AND removed_at < now() - p_log_retention;
    GET DIAGNOSTICS instances_deleted = ROW_COUNT;
    DELETE FROM skylark.events WHERE occurred_at < now() - p_event_retention;
    GET DIAGNOSTICS events_deleted = ROW_COUNT;
    DELETE FROM skylark.autoscaling_decisions WHERE decided_at < now() - p_event_retention;
    GET DIAGNOSTICS decisions_deleted = ROW_COUNT;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION skylark.history_prune IS 'Deletes instances that are gone for longer than log rows are kept, and events and decisions older than p_event_retention.';
