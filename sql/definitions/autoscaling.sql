-- Metrics in, decisions out: what the tables of 0005_autoscaling mean, when the autoscaler looks, and how it decides.

COMMENT ON TABLE skylark.metric_samples IS 'What each instance used, some seconds apart. Partitioned by day (UTC); retention drops whole partitions. Written by the collector only.';
COMMENT ON COLUMN skylark.metric_samples.instance_id IS 'Which instance.';
COMMENT ON COLUMN skylark.metric_samples.sampled_at IS 'When the engine read the counters; rates are over the time since the sample before.';
COMMENT ON COLUMN skylark.metric_samples.cpu_utilization IS 'CPU time used, as a fraction of what its limit would have allowed.';
COMMENT ON COLUMN skylark.metric_samples.memory_utilization IS 'Memory in use without page cache, as a fraction of its limit.';
COMMENT ON COLUMN skylark.metric_samples.network_in IS 'Bytes per second received.';
COMMENT ON COLUMN skylark.metric_samples.network_out IS 'Bytes per second sent.';
COMMENT ON COLUMN skylark.metric_samples.cpu_ns IS 'CPU time used since the container started, in nanoseconds.';
COMMENT ON COLUMN skylark.metric_samples.memory_bytes IS 'Memory in use without page cache.';
COMMENT ON COLUMN skylark.metric_samples.received_bytes IS 'Bytes received over all its networks since the container started.';
COMMENT ON COLUMN skylark.metric_samples.received_errors IS 'Errors of receiving, counted likewise.';
COMMENT ON COLUMN skylark.metric_samples.sent_bytes IS 'Bytes sent, counted likewise.';
COMMENT ON COLUMN skylark.metric_samples.sent_errors IS 'Errors of sending, counted likewise.';

COMMENT ON TABLE skylark.metric_samples_other IS 'Samples from before the first daily partition; kept no longer than the others.';
COMMENT ON TABLE skylark.metric_samples_later IS 'Samples of times years ahead, which nobody but a hand writes.';
DO $$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT a.attrelid::regclass AS name, a.attname AS key
        FROM pg_attribute a
        WHERE a.attrelid IN ('skylark.metric_samples_other'::regclass, 'skylark.metric_samples_later'::regclass) AND a.attnum > 0 AND NOT a.attisdropped
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', part.name, part.key, 'As in metric_samples.');
    END LOOP;
END
$$;

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
               WHEN 'at_maximum' THEN 'Above the band, and already at the maximum of ' || p_target_before || '.'
               WHEN 'scaled_to_quota' THEN 'The quotas of the namespace allow no more: from ' || p_target_before || ' to ' || p_target_after
                                           || ' instances.'
               WHEN 'at_quota' THEN p_wanted || ' instances are needed, but the quotas of the namespace allow no more than '
                                    || p_target_before || '.'
               WHEN 'at_minimum' THEN 'Below the band, and already at the minimum of ' || p_target_before || '.'
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
