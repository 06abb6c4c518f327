-- What is kept how long: partitions by day, and history. skylark-collector calls these functions one statement a transaction: each
-- does one small thing, waits for a lock for a moment only, and says when it has to be tried again. So whoever holds up
-- one of them holds up nothing else.

CREATE FUNCTION skylark.partitions_missing(p_table text, p_days_ahead integer) RETURNS SETOF date
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
BEGIN
    IF p_days_ahead NOT BETWEEN 0 AND 60 THEN
        RAISE EXCEPTION 'days ahead must be 0 to 60' USING ERRCODE = '22023';
    END IF;
    RETURN QUERY
    SELECT d::date
    FROM generate_series(today - 1, today + p_days_ahead, interval '1 day') d
    WHERE to_regclass(format('skylark.%I', p_table || '_' || to_char(d, 'YYYYMMDD'))) IS NULL
    ORDER BY d;
END
$$;
COMMENT ON FUNCTION skylark.partitions_missing IS 'The days (UTC) from yesterday to p_days_ahead days from now for which p_table has no partition.';

CREATE FUNCTION skylark.partition_make(p_table text, p_day date) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET lock_timeout = '1s'
AS $$
DECLARE
    partition_name text := p_table || '_' || to_char(p_day, 'YYYYMMDD');
BEGIN
    IF p_table NOT IN ('log_rows', 'metric_samples') THEN
        RAISE EXCEPTION 'no table that is partitioned by day: %', p_table USING ERRCODE = '22023';
    END IF;
    IF p_day NOT BETWEEN (now() AT TIME ZONE 'UTC')::date - 3700 AND (now() AT TIME ZONE 'UTC')::date + 61 THEN
        RETURN 'refused';
    END IF;
    IF to_regclass(format('skylark.%I', partition_name)) IS NOT NULL THEN
        RETURN 'there';
    END IF;
    -- Neither readers nor writers hold up ATTACH, nor it them: it only waits for others that change the table.
    EXECUTE format('CREATE TABLE skylark.%I (LIKE skylark.%I INCLUDING ALL)', partition_name, p_table);
    EXECUTE format('ALTER TABLE skylark.%I ATTACH PARTITION skylark.%I FOR VALUES FROM (%L) TO (%L)', p_table, partition_name,
                   p_day::timestamp AT TIME ZONE 'UTC', (p_day + 1)::timestamp AT TIME ZONE 'UTC');
    EXECUTE format('COMMENT ON TABLE skylark.%I IS %L', partition_name, 'Rows of ' || to_char(p_day, 'YYYY-MM-DD') || ' (UTC).');
    RETURN 'made';
EXCEPTION
    WHEN invalid_object_definition OR duplicate_table OR unique_violation THEN
        RETURN 'there'; -- in the table for what is before all days, or made by another session just now
    WHEN lock_not_available THEN
        RETURN 'busy';
END
$$;
COMMENT ON FUNCTION skylark.partition_make IS 'Makes the partition of p_table (log_rows or metric_samples) for the day p_day (UTC): made, there (already), busy (try again), or refused (too far from today).';

CREATE FUNCTION skylark.partitions_expired(p_table text, p_retention interval) RETURNS SETOF date
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    IF p_retention < interval '1 hour' THEN
        RAISE EXCEPTION 'retention must be an hour or more' USING ERRCODE = '22023';
    END IF;
    RETURN QUERY
    SELECT d.day
    FROM (SELECT to_date(substring(c.relname FROM '\d{8}$'), 'YYYYMMDD') AS day
          FROM pg_inherits i
          JOIN pg_class c ON c.oid = i.inhrelid
          WHERE i.inhparent = to_regclass(format('skylark.%I', p_table)) AND c.relname ~ '_\d{8}$') d
    WHERE (d.day + 1)::timestamp AT TIME ZONE 'UTC' <= now() - p_retention
    ORDER BY d.day;
END
$$;
COMMENT ON FUNCTION skylark.partitions_expired IS 'The days (UTC) whose partition of p_table is wholly older than p_retention.';

CREATE FUNCTION skylark.partition_drop(p_table text, p_day date, p_retention interval) RETURNS text
    -- Who waits for this lock holds up everybody who comes after: so for a fifth of a second at a time.
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET lock_timeout = '200ms'
AS $$
BEGIN
    IF p_day NOT IN (SELECT e FROM skylark.partitions_expired(p_table, p_retention) e) THEN
        RETURN 'gone';
    END IF;
    EXECUTE format('DROP TABLE skylark.%I', p_table || '_' || to_char(p_day, 'YYYYMMDD'));
    RETURN 'dropped';
EXCEPTION
    WHEN undefined_table THEN
        RETURN 'gone';
    WHEN lock_not_available THEN
        RETURN 'busy';
END
$$;
COMMENT ON FUNCTION skylark.partition_drop IS 'Drops the partition of p_table for the day p_day (UTC) if it is wholly older than p_retention: dropped, gone (there is none to drop), or busy (somebody uses the table; try again).';

CREATE FUNCTION skylark.partition_later_move(p_table text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET lock_timeout = '200ms'
AS $$
DECLARE
    later text := p_table || '_later';
    key text;
    begins timestamptz;
    is_used boolean;
BEGIN
    IF p_table NOT IN ('log_rows', 'metric_samples') THEN
        RAISE EXCEPTION 'no table that is partitioned by day: %', p_table USING ERRCODE = '22023';
    END IF;
    SELECT substring(pg_get_expr(c.relpartbound, c.oid) FROM 'FROM \(''([^'']+)''\)')::timestamptz INTO begins
    FROM pg_class c
    WHERE c.oid = to_regclass(format('skylark.%I', later));
    IF begins > now() + interval '1 year' THEN
        RETURN 'there';
    END IF;
    EXECUTE format('LOCK TABLE skylark.%I IN ACCESS EXCLUSIVE MODE', p_table);
    EXECUTE format('SELECT EXISTS (SELECT FROM skylark.%I)', later) INTO is_used;
    IF is_used THEN
        RETURN 'used';
    END IF;
    SELECT a.attname INTO key
    FROM pg_partitioned_table p
    JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
    WHERE p.partrelid = to_regclass(format('skylark.%I', p_table));
    -- Another table in its place, since the bounds of a partition never change.
    EXECUTE format('CREATE TABLE skylark.%I (LIKE skylark.%I INCLUDING ALL INCLUDING COMMENTS)', later || '_new', later);
    EXECUTE format('DROP TABLE skylark.%I', later);
    EXECUTE format('ALTER TABLE skylark.%I RENAME TO %I', later || '_new', later);
    EXECUTE format('ALTER TABLE skylark.%I ATTACH PARTITION skylark.%I FOR VALUES FROM (%L) TO (MAXVALUE)', p_table, later,
                   ((now() AT TIME ZONE 'UTC')::date + 730)::timestamp AT TIME ZONE 'UTC');
    EXECUTE format('COMMENT ON TABLE skylark.%I IS %L', later, 'Rows of times years ahead, which nobody but a hand writes.');
    RETURN 'moved';
EXCEPTION
    WHEN lock_not_available THEN
        RETURN 'busy';
END
$$;
COMMENT ON FUNCTION skylark.partition_later_move IS 'Keeps what p_table has for times years ahead years ahead, so that it is never in the way of a day: there, moved, used (it has rows), or busy (try again). Once a year there is something to do.';

CREATE FUNCTION skylark.history_prune(p_what text, p_retention interval, p_batch integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET lock_timeout = '1s'
AS $$
DECLARE
    n bigint;
    before timestamptz := now() - p_retention;
    by_hand text := COALESCE(current_setting('skylark.by_hand', true), '');
BEGIN
    IF p_retention < interval '1 hour' OR p_batch < 1 THEN
        RAISE EXCEPTION 'retention must be an hour or more and a batch a row or more' USING ERRCODE = '22023';
    END IF;
    -- The guard of image_pulls is for others than this.
    PERFORM set_config('skylark.by_hand', 'on', true);
    -- Each takes the oldest first, by an index. Rows that somebody holds are left for the next time.
    CASE p_what
        WHEN 'instances' THEN
            DELETE FROM skylark.instances
            WHERE id IN (SELECT i.id FROM skylark.instances i WHERE i.state = 'removed' AND i.removed_at < before
                         ORDER BY i.removed_at LIMIT p_batch FOR UPDATE SKIP LOCKED);
        WHEN 'image_pulls' THEN
            DELETE FROM skylark.image_pulls
            WHERE image_ref IN (SELECT p.image_ref FROM skylark.image_pulls p
                                WHERE p.state IN ('done', 'failed') AND p.finished_at < before
                                ORDER BY p.finished_at LIMIT p_batch FOR UPDATE SKIP LOCKED);
        WHEN 'events' THEN
            DELETE FROM skylark.events
            WHERE id IN (SELECT e.id FROM skylark.events e WHERE e.occurred_at < before
                         ORDER BY e.occurred_at LIMIT p_batch FOR UPDATE SKIP LOCKED);
        WHEN 'autoscaling_decisions' THEN
            DELETE FROM skylark.autoscaling_decisions
            WHERE id IN (SELECT d.id FROM skylark.autoscaling_decisions d WHERE d.decided_at < before
                         ORDER BY d.decided_at LIMIT p_batch FOR UPDATE SKIP LOCKED);
        WHEN 'log_rows' THEN
            DELETE FROM skylark.log_rows_other
            WHERE (service_id, logged_at, instance_id, seq) IN
                  (SELECT l.service_id, l.logged_at, l.instance_id, l.seq FROM skylark.log_rows_other l WHERE l.logged_at < before
                   ORDER BY l.logged_at LIMIT p_batch FOR UPDATE SKIP LOCKED);
        WHEN 'metric_samples' THEN
            DELETE FROM skylark.metric_samples_other
            WHERE (instance_id, sampled_at) IN
                  (SELECT m.instance_id, m.sampled_at FROM skylark.metric_samples_other m WHERE m.sampled_at < before
                   ORDER BY m.sampled_at LIMIT p_batch FOR UPDATE SKIP LOCKED);
        ELSE
            RAISE EXCEPTION 'nothing that is pruned: %', p_what USING ERRCODE = '22023';
    END CASE;
    GET DIAGNOSTICS n = ROW_COUNT;
    PERFORM set_config('skylark.by_hand', by_hand, true);
    RETURN n;
EXCEPTION
    WHEN lock_not_available THEN
        RETURN -1;
END
$$;
COMMENT ON FUNCTION skylark.history_prune IS 'Deletes rows of p_what that are older than p_retention, the oldest p_batch at the most: instances (removed ones), image_pulls (that have ended), events, autoscaling_decisions, log_rows and metric_samples (from before the first daily partition). Returns how many; -1: somebody has locked the table, try again. Call again while it returns p_batch.';
