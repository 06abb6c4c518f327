-- Metrics in, decisions out: samples of what instances use, when each AUTO service is looked at next, and every decision.

-- --- settings beyond the seed ---

ALTER TABLE skylark.autoscaling_settings
    ADD COLUMN scale_up_wait_period integer CHECK (scale_up_wait_period BETWEEN 1 AND 86400),
    ADD COLUMN scale_down_wait_period integer CHECK (scale_down_wait_period BETWEEN 1 AND 86400),
    ADD COLUMN stabilization_window integer NOT NULL DEFAULT 0 CHECK (stabilization_window BETWEEN 0 AND 86400),
    ADD COLUMN dry_run boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN skylark.autoscaling_settings.wait_period IS 'Seconds between two actions; also the window of the metric, and the age from which an instance counts.';
COMMENT ON COLUMN skylark.autoscaling_settings.scale_up_wait_period IS 'Seconds between an action and adding instances; null: wait_period.';
COMMENT ON COLUMN skylark.autoscaling_settings.scale_down_wait_period IS 'Seconds between an action and taking instances away; null: wait_period.';
COMMENT ON COLUMN skylark.autoscaling_settings.stabilization_window IS 'The count falls no lower than the largest count recommended in these last seconds; 0: no such rule.';
COMMENT ON COLUMN skylark.autoscaling_settings.dry_run IS 'Decisions are made and recorded, and nothing is changed.';

-- --- samples ---

CREATE TABLE skylark.metric_samples (
    instance_id uuid NOT NULL,
    sampled_at timestamptz NOT NULL,
    cpu_utilization double precision NOT NULL CHECK (cpu_utilization BETWEEN 0 AND 1),
    memory_utilization double precision NOT NULL CHECK (memory_utilization BETWEEN 0 AND 1),
    network_in double precision NOT NULL CHECK (network_in BETWEEN 0 AND 1e15),
    network_out double precision NOT NULL CHECK (network_out BETWEEN 0 AND 1e15),
    PRIMARY KEY (instance_id, sampled_at)
) PARTITION BY RANGE (sampled_at);
CREATE TABLE skylark.metric_samples_other PARTITION OF skylark.metric_samples DEFAULT;
COMMENT ON TABLE skylark.metric_samples IS 'What each instance used, some seconds apart. Partitioned by day (UTC); retention drops whole partitions. Written by the collector only.';
COMMENT ON COLUMN skylark.metric_samples.instance_id IS 'Which instance.';
COMMENT ON COLUMN skylark.metric_samples.sampled_at IS 'When the engine read the counters; rates are over the time since the sample before.';
COMMENT ON COLUMN skylark.metric_samples.cpu_utilization IS 'CPU time used, as a fraction of what its limit would have allowed.';
COMMENT ON COLUMN skylark.metric_samples.memory_utilization IS 'Memory in use without page cache, as a fraction of its limit.';
COMMENT ON COLUMN skylark.metric_samples.network_in IS 'Bytes per second received.';
COMMENT ON COLUMN skylark.metric_samples.network_out IS 'Bytes per second sent.';
COMMENT ON TABLE skylark.metric_samples_other IS 'Samples whose time falls into no daily partition; kept no longer than the others.';
COMMENT ON COLUMN skylark.metric_samples_other.instance_id IS 'As in metric_samples.';
COMMENT ON COLUMN skylark.metric_samples_other.sampled_at IS 'As in metric_samples.';
COMMENT ON COLUMN skylark.metric_samples_other.cpu_utilization IS 'As in metric_samples.';
COMMENT ON COLUMN skylark.metric_samples_other.memory_utilization IS 'As in metric_samples.';
COMMENT ON COLUMN skylark.metric_samples_other.network_in IS 'As in metric_samples.';
COMMENT ON COLUMN skylark.metric_samples_other.network_out IS 'As in metric_samples.';

-- One function for all tables that are partitioned by day, in the place of the one for log rows.
DROP FUNCTION skylark.log_partitions_maintain(interval, integer);
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
SELECT skylark.partitions_maintain('metric_samples', interval '3 days', 3);

-- --- when to look, and what came of it ---

CREATE TABLE skylark.autoscaling_queue (
    service_id uuid PRIMARY KEY REFERENCES skylark.services ON DELETE CASCADE,
    due_at timestamptz NOT NULL DEFAULT now(),
    acted_at timestamptz,
    up_since timestamptz,
    evaluated_at timestamptz,
    reason text,
    metric_value double precision,
    samples integer NOT NULL DEFAULT 0,
    running integer NOT NULL DEFAULT 0,
    counted integer NOT NULL DEFAULT 0,
    missing integer NOT NULL DEFAULT 0,
    target integer,
    wanted integer,
    decided_at timestamptz,
    recommended_at timestamptz[] NOT NULL DEFAULT '{}',
    recommended integer[] NOT NULL DEFAULT '{}'
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX autoscaling_queue_due_at_idx ON skylark.autoscaling_queue (due_at);
COMMENT ON TABLE skylark.autoscaling_queue IS 'One row a service that is or was AUTO: when the autoscaler looks at it next, and what it saw last. Kept by triggers; written by the autoscaler.';
COMMENT ON COLUMN skylark.autoscaling_queue.service_id IS 'Which service.';
COMMENT ON COLUMN skylark.autoscaling_queue.due_at IS 'When to look next; infinity while it is not AUTO and STARTED.';
COMMENT ON COLUMN skylark.autoscaling_queue.acted_at IS 'When its count was last changed, by the autoscaler or by a person; waiting periods begin here.';
COMMENT ON COLUMN skylark.autoscaling_queue.up_since IS 'When the wait before adding more began: acted_at, or when what that added ran.';
COMMENT ON COLUMN skylark.autoscaling_queue.evaluated_at IS 'When it was last looked at.';
COMMENT ON COLUMN skylark.autoscaling_queue.reason IS 'How that ended; as in autoscaling_decisions.';
COMMENT ON COLUMN skylark.autoscaling_queue.metric_value IS 'Metric as seen then; null when there was none.';
COMMENT ON COLUMN skylark.autoscaling_queue.samples IS 'Samples that it was made of.';
COMMENT ON COLUMN skylark.autoscaling_queue.running IS 'Instances that ran and were not told to stop.';
COMMENT ON COLUMN skylark.autoscaling_queue.counted IS 'Of them, those with samples that count.';
COMMENT ON COLUMN skylark.autoscaling_queue.missing IS 'Of them, those that should have had samples and had none.';
COMMENT ON COLUMN skylark.autoscaling_queue.target IS 'target_num_instances before that.';
COMMENT ON COLUMN skylark.autoscaling_queue.wanted IS 'Count that was decided on; in a dry run, would have been.';
COMMENT ON COLUMN skylark.autoscaling_queue.decided_at IS 'When the latest row was added to autoscaling_decisions.';
COMMENT ON COLUMN skylark.autoscaling_queue.recommended_at IS 'With a stabilization_window: times of the recommendations that may still be the largest of it.';
COMMENT ON COLUMN skylark.autoscaling_queue.recommended IS 'The counts recommended then, falling.';

CREATE TABLE skylark.autoscaling_decisions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service_id uuid NOT NULL,
    decided_at timestamptz NOT NULL,
    reason text NOT NULL CHECK (reason ~ '^[a-z]+(_[a-z]+)*$'),
    metric_name text NOT NULL,
    metric_stat text NOT NULL,
    metric_value double precision,
    upper_threshold double precision NOT NULL,
    lower_threshold double precision NOT NULL,
    samples integer NOT NULL,
    running integer NOT NULL,
    counted integer NOT NULL,
    missing integer NOT NULL,
    target_before integer NOT NULL,
    target_after integer NOT NULL,
    wanted integer NOT NULL
);
CREATE INDEX autoscaling_decisions_service_id_idx ON skylark.autoscaling_decisions (service_id, id);
CREATE INDEX autoscaling_decisions_decided_at_idx ON skylark.autoscaling_decisions USING brin (decided_at);
COMMENT ON TABLE skylark.autoscaling_decisions IS 'What the autoscaler decided and why: a row an action, a row when the reason changes, and a heartbeat some hours apart; kept as long as the collector''s event_retention. Written by the autoscaler only.';
COMMENT ON COLUMN skylark.autoscaling_decisions.id IS 'Key, in order of time.';
COMMENT ON COLUMN skylark.autoscaling_decisions.service_id IS 'Which service.';
COMMENT ON COLUMN skylark.autoscaling_decisions.decided_at IS 'When. The decision holds until the next row.';
COMMENT ON COLUMN skylark.autoscaling_decisions.reason IS 'Reason code; docs/autoscaling.md defines each.';
COMMENT ON COLUMN skylark.autoscaling_decisions.metric_name IS 'Setting in force.';
COMMENT ON COLUMN skylark.autoscaling_decisions.metric_stat IS 'Setting in force.';
COMMENT ON COLUMN skylark.autoscaling_decisions.metric_value IS 'Metric as seen; null when there was none.';
COMMENT ON COLUMN skylark.autoscaling_decisions.upper_threshold IS 'Setting in force.';
COMMENT ON COLUMN skylark.autoscaling_decisions.lower_threshold IS 'Setting in force.';
COMMENT ON COLUMN skylark.autoscaling_decisions.samples IS 'Samples that the metric was made of.';
COMMENT ON COLUMN skylark.autoscaling_decisions.running IS 'Instances that ran and were not told to stop.';
COMMENT ON COLUMN skylark.autoscaling_decisions.counted IS 'Of them, those with samples that count.';
COMMENT ON COLUMN skylark.autoscaling_decisions.missing IS 'Of them, those that should have had samples and had none.';
COMMENT ON COLUMN skylark.autoscaling_decisions.target_before IS 'target_num_instances before.';
COMMENT ON COLUMN skylark.autoscaling_decisions.target_after IS 'target_num_instances after.';
COMMENT ON COLUMN skylark.autoscaling_decisions.wanted IS 'Count decided on; differs from target_after in a dry run and when a user changed the service in the same moment.';

-- Which services are in the queue follows from what users want, whoever writes it.
CREATE FUNCTION skylark.autoscaling_enqueue(p_service_id uuid, p_acted boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    IF EXISTS (SELECT
               FROM skylark.services s
               JOIN skylark.autoscaling_settings a ON a.service_id = s.id
               WHERE s.id = p_service_id AND s.scaling_mode = 'AUTO' AND s.target_state = 'STARTED' AND s.deleted_at IS NULL) THEN
        -- By the clock, not by the transaction's beginning: a pass that looked meanwhile must not take it for seen.
        INSERT INTO skylark.autoscaling_queue AS q (service_id, due_at, acted_at)
        VALUES (p_service_id, clock_timestamp(), CASE WHEN p_acted THEN clock_timestamp() END)
        ON CONFLICT (service_id) DO UPDATE
        SET due_at = EXCLUDED.due_at, acted_at = GREATEST(EXCLUDED.acted_at, q.acted_at);
        PERFORM pg_notify('skylark_autoscaling', '');
    ELSE
        -- It keeps its history: over to MANUAL and back is no way around a waiting period.
        UPDATE skylark.autoscaling_queue SET due_at = 'infinity' WHERE service_id = p_service_id;
    END IF;
END
$$;
COMMENT ON FUNCTION skylark.autoscaling_enqueue IS 'Puts a service that is AUTO and STARTED into autoscaling_queue, due now, and lets any other rest. p_acted: its count was changed just now.';

CREATE FUNCTION skylark.services_autoscaling_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    PERFORM skylark.autoscaling_enqueue(NEW.id, TG_OP = 'UPDATE' AND OLD.target_num_instances <> NEW.target_num_instances);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.services_autoscaling_changed IS 'Keeps autoscaling_queue when a service changes; not for the autoscaler''s own actions, which it notes itself.';
CREATE TRIGGER services_autoscaling_inserted AFTER INSERT ON skylark.services
    FOR EACH ROW WHEN (NEW.scaling_mode = 'AUTO') EXECUTE FUNCTION skylark.services_autoscaling_changed();
CREATE TRIGGER services_autoscaling_updated AFTER UPDATE ON skylark.services
    FOR EACH ROW
    WHEN ((OLD.scaling_mode = 'AUTO' OR NEW.scaling_mode = 'AUTO')
          AND OLD.last_autoscaled_at IS NOT DISTINCT FROM NEW.last_autoscaled_at
          AND (OLD.scaling_mode, OLD.target_state, OLD.target_num_instances, OLD.deleted_at)
              IS DISTINCT FROM (NEW.scaling_mode, NEW.target_state, NEW.target_num_instances, NEW.deleted_at))
    EXECUTE FUNCTION skylark.services_autoscaling_changed();

CREATE FUNCTION skylark.autoscaling_settings_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM skylark.autoscaling_enqueue(OLD.service_id, false);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM skylark.autoscaling_enqueue(NEW.service_id, false);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.autoscaling_settings_changed IS 'Keeps autoscaling_queue when thresholds change.';
CREATE TRIGGER autoscaling_settings_inserted AFTER INSERT OR DELETE ON skylark.autoscaling_settings
    FOR EACH ROW EXECUTE FUNCTION skylark.autoscaling_settings_changed();
CREATE TRIGGER autoscaling_settings_updated AFTER UPDATE ON skylark.autoscaling_settings
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION skylark.autoscaling_settings_changed();

INSERT INTO skylark.autoscaling_queue (service_id)
SELECT s.id
FROM skylark.services s
JOIN skylark.autoscaling_settings a ON a.service_id = s.id
WHERE s.scaling_mode = 'AUTO' AND s.target_state = 'STARTED' AND s.deleted_at IS NULL;

-- A changed count derives nothing; with thousands of actions in a pass that is worth not looking.
DROP TRIGGER services_derive ON skylark.services;
CREATE TRIGGER services_derive
    BEFORE INSERT OR UPDATE OF namespace_id, name, domain_label, image_name, image_tag, run_command, instance_size, generation
    ON skylark.services
    FOR EACH ROW EXECUTE FUNCTION skylark.services_derive();

-- --- the decision ---

-- Pure, and of one expression, so that PostgreSQL inlines it where it is used. Read it from the top: the first case that
-- holds is the reason.
CREATE FUNCTION skylark.autoscaling_decide(
    p_now timestamptz,
    p_target integer,          -- target_num_instances
    p_minimum integer, p_maximum integer,
    p_upper double precision, p_lower double precision,
    p_increase integer, p_decrease integer,
    p_wait_up integer, p_wait_down integer, -- seconds
    p_dry_run boolean,
    p_value double precision,  -- the metric; null: no sample counts
    p_running integer,         -- instances that run and were not told to stop
    p_missing integer,         -- of them, those that should have samples and have none
    p_updating boolean,        -- the deployer is still carrying out a change of the service
    p_starting boolean,        -- instances that are wanted don't run yet
    p_up_since timestamptz,    -- when the wait before adding began: the count was changed, and what that added runs
    p_down_since timestamptz,  -- when the wait before taking away began: the count was changed
    p_recent integer)          -- the largest count recommended in the stabilization window; null: none
    RETURNS TABLE (reason text, wanted integer, recommended integer)
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN p_dry_run AND r.acts THEN 'dry_run' ELSE r.reason END,
           CASE WHEN r.acts THEN r.wanted ELSE p_target END,
           CASE WHEN p_value IS NULL OR p_updating THEN p_target
                WHEN p_value > p_upper THEN c.up
                WHEN p_value < p_lower AND p_missing = 0 THEN c.down
                ELSE p_target END
    FROM (SELECT LEAST(p_target + p_increase, p_maximum) AS up,
                 -- The load of all that run, on fewer: no fewer than keep it at the upper threshold or below. A count by
                 -- metric never falls to 0, where there would be no metric to raise it again.
                 GREATEST(p_target - p_decrease, p_minimum, 1,
                          LEAST(p_target, ceil(p_value * p_running / p_upper - 1e-9)))::integer AS down) c
    CROSS JOIN LATERAL (SELECT GREATEST(c.down, p_recent) AS steady) w
    CROSS JOIN LATERAL (
        SELECT CASE
                   WHEN p_target < p_minimum THEN 'below_minimum'
                   WHEN p_target > p_maximum THEN 'above_maximum'
                   WHEN p_target = 0 THEN 'at_zero'
                   WHEN p_value BETWEEN p_lower AND p_upper THEN 'within_band'
                   WHEN p_updating THEN 'updating'
                   WHEN p_value IS NULL AND p_missing > 0 THEN 'no_data'
                   WHEN p_value IS NULL THEN 'starting'
                   WHEN p_value > p_upper AND p_target >= p_maximum THEN 'at_maximum'
                   WHEN p_value > p_upper AND p_starting THEN 'starting'
                   WHEN p_value > p_upper AND p_now < p_up_since + make_interval(secs => p_wait_up) THEN 'waiting'
                   WHEN p_value > p_upper THEN 'scaled_up'
                   -- From here on it is below the band.
                   WHEN p_target <= GREATEST(p_minimum, 1) THEN 'at_minimum'
                   WHEN p_missing > 0 THEN 'no_data'
                   WHEN c.down >= p_target THEN 'would_flap'
                   WHEN w.steady >= p_target THEN 'stabilizing'
                   WHEN p_now < p_down_since + make_interval(secs => p_wait_down) THEN 'waiting'
                   ELSE 'scaled_down'
               END AS code) k
    CROSS JOIN LATERAL (
        SELECT k.code AS reason, k.code IN ('below_minimum', 'above_maximum', 'scaled_up', 'scaled_down') AS acts,
               CASE k.code WHEN 'below_minimum' THEN p_minimum WHEN 'above_maximum' THEN p_maximum
                           WHEN 'scaled_up' THEN c.up ELSE w.steady END AS wanted) r
$$;
COMMENT ON FUNCTION skylark.autoscaling_decide IS 'One decision of the autoscaler: how many instances are wanted and why. Pure; docs/autoscaling.md defines the terms.';

CREATE FUNCTION skylark.autoscaling_next_due(p_service_id uuid, p_now timestamptz, p_period double precision) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN 'epoch'::timestamptz + make_interval(secs => p_period *
        (floor(date_part('epoch', p_now) / p_period - uuid_hash(p_service_id)::double precision / 4294967296) + 1
         + uuid_hash(p_service_id)::double precision / 4294967296));
COMMENT ON FUNCTION skylark.autoscaling_next_due IS 'The next time after p_now at which a service is looked at every p_period seconds: each service has its own place within the period, so that they never gather in one second.';

-- --- what people read ---

CREATE FUNCTION skylark.autoscaling_message(
    p_reason text, p_metric_name text, p_metric_stat text, p_metric_value double precision, p_upper double precision,
    p_lower double precision, p_samples integer, p_running integer, p_counted integer, p_missing integer,
    p_target_before integer, p_target_after integer, p_wanted integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN p_metric_value IS NOT NULL
                THEN p_metric_stat || ' of ' || p_metric_name || ' was ' || round(p_metric_value::numeric, 4)::double precision
                     || ' (' || p_samples || ' samples of ' || p_counted || ' of ' || p_running || ' instances; band '
                     || p_lower || ' to ' || p_upper || '). '
                ELSE '' END
        || CASE p_reason
               WHEN 'scaled_up' THEN 'Above the band: from ' || p_target_before || ' to ' || p_target_after || ' instances.'
               WHEN 'scaled_down' THEN 'Below the band: from ' || p_target_before || ' to ' || p_target_after || ' instances.'
               WHEN 'below_minimum' THEN 'Fewer than the minimum: from ' || p_target_before || ' to ' || p_target_after || ' instances.'
               WHEN 'above_maximum' THEN 'More than the maximum: from ' || p_target_before || ' to ' || p_target_after || ' instances.'
               WHEN 'within_band' THEN 'Nothing to do.'
               WHEN 'at_maximum' THEN 'Above the band, but ' || p_target_before || ' instances are the maximum.'
               WHEN 'at_minimum' THEN 'Below the band, but ' || p_target_before || ' instances are the minimum.'
               WHEN 'at_zero' THEN 'Scaled to zero; PUT target_num_instances to start it again.'
               WHEN 'would_flap' THEN 'Below the band, but fewer instances would stand above it.'
               WHEN 'stabilizing' THEN 'Below the band, but not yet for the whole stabilization window.'
               WHEN 'waiting' THEN 'Outside the band, but within a waiting period of the latest change.'
               WHEN 'starting' THEN 'Instances that are wanted don''t run yet, or are too young to count.'
               WHEN 'no_data' THEN p_missing || ' instances have no fresh samples; without them nothing is taken away.'
               WHEN 'updating' THEN 'A change of the service is still being carried out.'
               WHEN 'dry_run' THEN 'Would go from ' || p_target_before || ' to ' || p_wanted || ' instances; dry run.'
               WHEN 'overtaken' THEN 'A user changed the service in the same moment; looked at again at once.'
               ELSE p_reason
           END;
COMMENT ON FUNCTION skylark.autoscaling_message IS 'A decision in words.';

CREATE FUNCTION skylark.autoscaling_config(a skylark.autoscaling_settings) RETURNS json
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT json_object_agg(k.name, k.value ORDER BY k.position)
            FROM (VALUES (1, 'metric_name', to_json(a.metric_name)), (2, 'metric_stat', to_json(a.metric_stat)),
                         (3, 'upper_threshold', to_json(a.upper_threshold)), (4, 'lower_threshold', to_json(a.lower_threshold)),
                         (5, 'decrease_delta', to_json(a.decrease_delta)), (6, 'increase_delta', to_json(a.increase_delta)),
                         (7, 'minimum_num_instances', to_json(a.minimum_num_instances)),
                         (8, 'maximum_num_instances', to_json(a.maximum_num_instances)),
                         (9, 'wait_period', to_json(a.wait_period)),
                         (10, 'scale_up_wait_period', to_json(a.scale_up_wait_period)),
                         (11, 'scale_down_wait_period', to_json(a.scale_down_wait_period)),
                         (12, 'stabilization_window', to_json(NULLIF(a.stabilization_window, 0))),
                         (13, 'dry_run', to_json(NULLIF(a.dry_run, false)))) AS k (position, name, value)
            WHERE k.value IS NOT NULL);
COMMENT ON FUNCTION skylark.autoscaling_config IS 'autoscaling_config as the API writes it: the seed''s keys, and of the later ones those that are set.';

CREATE VIEW skylark.autoscaling_overview AS
SELECT n.name AS namespace, s.name AS service, s.target_num_instances AS target, q.wanted, q.reason,
       skylark.autoscaling_message(q.reason, a.metric_name, a.metric_stat, q.metric_value, a.upper_threshold, a.lower_threshold,
                                   q.samples, q.running, q.counted, q.missing, q.target, q.wanted, q.wanted) AS message,
       q.evaluated_at, q.due_at, q.acted_at, s.last_autoscaled_at
FROM skylark.autoscaling_queue q
JOIN skylark.services s ON s.id = q.service_id
JOIN skylark.autoscaling_settings a ON a.service_id = s.id
JOIN skylark.namespaces n ON n.id = s.namespace_id
WHERE q.due_at < 'infinity';
COMMENT ON VIEW skylark.autoscaling_overview IS 'AUTO services and what the autoscaler saw last, for people.';
COMMENT ON COLUMN skylark.autoscaling_overview.namespace IS 'Namespace.';
COMMENT ON COLUMN skylark.autoscaling_overview.service IS 'Service.';
COMMENT ON COLUMN skylark.autoscaling_overview.target IS 'target_num_instances now.';
COMMENT ON COLUMN skylark.autoscaling_overview.wanted IS 'Count last decided on.';
COMMENT ON COLUMN skylark.autoscaling_overview.reason IS 'Reason code of the latest evaluation.';
COMMENT ON COLUMN skylark.autoscaling_overview.message IS 'In words.';
COMMENT ON COLUMN skylark.autoscaling_overview.evaluated_at IS 'When it was last looked at.';
COMMENT ON COLUMN skylark.autoscaling_overview.due_at IS 'When it is looked at next.';
COMMENT ON COLUMN skylark.autoscaling_overview.acted_at IS 'When its count was last changed, by whomever.';
COMMENT ON COLUMN skylark.autoscaling_overview.last_autoscaled_at IS 'When the autoscaler last changed it.';

CREATE VIEW skylark.metrics_overview AS
SELECT n.name AS namespace, s.name || '.' || i.slot AS instance, i.id AS instance_id, m.sampled_at, m.cpu_utilization,
       m.memory_utilization, m.network_in, m.network_out
FROM skylark.instances i
JOIN skylark.services s ON s.id = i.service_id
JOIN skylark.namespaces n ON n.id = s.namespace_id
CROSS JOIN LATERAL (SELECT x.* FROM skylark.metric_samples x WHERE x.instance_id = i.id AND x.sampled_at > now() - interval '1 hour'
                    ORDER BY x.sampled_at DESC LIMIT 1) m
WHERE i.state = 'running';
COMMENT ON VIEW skylark.metrics_overview IS 'The latest sample of each running instance, for people.';
COMMENT ON COLUMN skylark.metrics_overview.namespace IS 'Namespace.';
COMMENT ON COLUMN skylark.metrics_overview.instance IS '{service}.{n}.';
COMMENT ON COLUMN skylark.metrics_overview.instance_id IS 'uuid.';
COMMENT ON COLUMN skylark.metrics_overview.sampled_at IS 'When.';
COMMENT ON COLUMN skylark.metrics_overview.cpu_utilization IS 'Fraction of its CPU limit.';
COMMENT ON COLUMN skylark.metrics_overview.memory_utilization IS 'Fraction of its memory limit.';
COMMENT ON COLUMN skylark.metrics_overview.network_in IS 'Bytes per second received.';
COMMENT ON COLUMN skylark.metrics_overview.network_out IS 'Bytes per second sent.';

CREATE OR REPLACE VIEW skylark.service_documents AS
SELECT s.namespace_id, s.seq, s.id AS service_id, s.name AS service_name, s.target_state,
       json_build_object(
           'unique_name', s.id,
           'service_name', s.name,
           'namespace', n.name,
           'updated_at', skylark.iso_time(s.updated_at),
           'allocation_group', NULL,
           'target_state', s.target_state,
           'instance_envvars', COALESCE((
               SELECT json_object_agg(v.name, v.value ORDER BY v.name)
               FROM (SELECT e.name, e.value FROM skylark.envvars e WHERE e.service_id = s.id
                     UNION ALL
                     SELECT '__DEFAULT_DOMAIN_NAME__', s.domain_label || '.' || g.base_domain
                     WHERE EXISTS (SELECT FROM skylark.ports p WHERE p.service_id = s.id)) v)::text, '{}'),
           'started_at', skylark.iso_time(o.started_at),
           'uuid', s.id,
           'linked_to_apps', COALESCE((
               SELECT json_object_agg(t.name, l.alias ORDER BY t.name)
               FROM skylark.links l JOIN skylark.services t ON t.id = l.target_service_id
               WHERE l.service_id = s.id)::text, '{}'),
           'stopped_at', skylark.iso_time(o.stopped_at),
           'is_deploying', o.is_deploying,
           'created_by', s.created_by,
           'autoscaling_config', COALESCE((
               SELECT skylark.autoscaling_config(a)
               FROM skylark.autoscaling_settings a WHERE a.service_id = s.id)::text, '{}'),
           'instance_ports', COALESCE((
               SELECT json_agg(json_build_object(
                   'container_port', p.container_port, 'protocol', p.protocol, 'endpoint_type', p.endpoint_type,
                   'service_port', p.service_port, 'default_domain', s.domain_label || '.' || g.base_domain,
                   'ipaddress', NULL) ORDER BY p.id)
               FROM skylark.ports p WHERE p.service_id = s.id), '[]'::json),
           'linked_to', COALESCE((
               SELECT json_object_agg(l.target_service_id, l.alias ORDER BY l.target_service_id)
               FROM skylark.links l WHERE l.service_id = s.id)::text, '{}'),
           'run_command', s.run_command,
           'custom_domain_name', COALESCE(s.custom_domain_name, ''),
           'deployment_preference', '{}',
           'scaling_mode', s.scaling_mode,
           'image_name', s.image_name,
           'image_tag', s.image_tag,
           'instance_size', s.instance_size,
           'linked_from_apps', COALESCE((
               SELECT json_object_agg(f.name, l.alias ORDER BY f.name)
               FROM skylark.links l JOIN skylark.services f ON f.id = l.service_id AND f.deleted_at IS NULL
               WHERE l.target_service_id = s.id)::text, '{}'),
           'target_num_instances', s.target_num_instances,
           'last_autoscaled_at', skylark.iso_time(s.last_autoscaled_at),
           'current_num_instances', o.current,
           'linked_from', COALESCE((
               SELECT json_object_agg(l.service_id, l.alias ORDER BY l.service_id)
               FROM skylark.links l JOIN skylark.services f ON f.id = l.service_id AND f.deleted_at IS NULL
               WHERE l.target_service_id = s.id)::text, '{}'),
           'staged_num_instances', o.staged,
           'started_num_instances', o.started,
           'instances', COALESCE((
               SELECT json_agg(json_build_object(
                   'instance_name', s.name || '.' || i.slot,
                   'started_at', skylark.iso_time(i.started_at),
                   'uuid', i.id) ORDER BY i.slot, i.created_at)
               FROM skylark.instances i
               WHERE i.service_id = s.id AND i.state IN ('created', 'running')), '[]'::json),
           'created_at', skylark.iso_time(s.created_at),
           'volumes', COALESCE((
               SELECT json_agg(json_build_object(
                   'app_volume_dir', v.app_volume_dir, 'volume_type', v.volume_type, 'size_gb', v.size_gb)
                   ORDER BY v.id)
               FROM skylark.volumes v WHERE v.service_id = s.id), '[]'::json),
           'default_domain_name', s.domain_label || '.' || g.base_domain,
           'resource_uri', '/v1/services/' || n.name || '/' || s.name || '/',
           'current_status', o.current_status,
           'status_message', o.status_message,
           'region', json_build_object('name', g.region_name, 'IaaS', g.region_iaas)) AS document
FROM skylark.services s
JOIN skylark.namespaces n ON n.id = s.namespace_id
JOIN skylark.service_states o ON o.service_id = s.id
JOIN skylark.installation g ON g.only_row
WHERE s.deleted_at IS NULL;

-- --- history and rights ---

DROP FUNCTION skylark.history_prune(interval, interval);
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

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA skylark FROM PUBLIC;
GRANT EXECUTE ON FUNCTION skylark.partitions_maintain, skylark.history_prune TO skylark_collector;
-- is_host_name is in a constraint of services, which an UPDATE of any column checks.
GRANT EXECUTE ON FUNCTION skylark.is_host_name, skylark.autoscaling_decide, skylark.autoscaling_next_due TO skylark_autoscaler;
GRANT EXECUTE ON FUNCTION skylark.autoscaling_decide, skylark.autoscaling_next_due TO skylark_dba;
GRANT EXECUTE ON FUNCTION skylark.autoscaling_message, skylark.autoscaling_config TO skylark_api, skylark_dba;
GRANT USAGE ON SCHEMA skylark TO skylark_autoscaler;
GRANT SELECT ON skylark.schema_migrations, skylark.namespaces, skylark.services, skylark.autoscaling_settings,
    skylark.reconcile_queue, skylark.service_status, skylark.instances, skylark.metric_samples,
    skylark.autoscaling_queue, skylark.autoscaling_decisions TO skylark_autoscaler;
GRANT UPDATE (target_num_instances, last_autoscaled_at) ON skylark.services TO skylark_autoscaler;
GRANT UPDATE ON skylark.autoscaling_queue TO skylark_autoscaler;
GRANT INSERT ON skylark.autoscaling_decisions, skylark.events TO skylark_autoscaler;
GRANT INSERT ON skylark.metric_samples TO skylark_collector;
GRANT SELECT ON skylark.metric_samples, skylark.autoscaling_queue, skylark.autoscaling_decisions
    TO skylark_api, skylark_dba;
GRANT SELECT ON skylark.autoscaling_overview, skylark.metrics_overview TO skylark_dba;
