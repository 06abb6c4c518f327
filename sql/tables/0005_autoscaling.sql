-- Metrics in, decisions out: samples of what instances use, when each AUTO service is looked at next, and every decision.

CREATE TABLE skylark.metric_samples (
    instance_id uuid NOT NULL,
    sampled_at timestamptz NOT NULL,
    cpu_utilization double precision NOT NULL CHECK (cpu_utilization BETWEEN 0 AND 1),
    memory_utilization double precision NOT NULL CHECK (memory_utilization BETWEEN 0 AND 1),
    network_in double precision NOT NULL CHECK (network_in BETWEEN 0 AND 1e15),
    network_out double precision NOT NULL CHECK (network_out BETWEEN 0 AND 1e15),
    cpu_ns bigint CHECK (cpu_ns >= 0),
    memory_bytes bigint CHECK (memory_bytes >= 0),
    received_bytes bigint CHECK (received_bytes >= 0),
    received_errors bigint CHECK (received_errors >= 0),
    sent_bytes bigint CHECK (sent_bytes >= 0),
    sent_errors bigint CHECK (sent_errors >= 0),
    PRIMARY KEY (instance_id, sampled_at)
) PARTITION BY RANGE (sampled_at);
-- A partition a day (UTC), which skylark-collector makes ahead and drops when it is past its retention. What is before the first of them
-- is in metric_samples_other, and what is years ahead in metric_samples_later. There is no default partition: to make a partition
-- beside one needs a lock that no reader of the table leaves room for.
DO $$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
    day date;
BEGIN
    EXECUTE format('CREATE TABLE skylark.metric_samples_other PARTITION OF skylark.metric_samples FOR VALUES FROM (MINVALUE) TO (%L)',
                   (today - 1)::timestamp AT TIME ZONE 'UTC');
    EXECUTE format('CREATE TABLE skylark.metric_samples_later PARTITION OF skylark.metric_samples FOR VALUES FROM (%L) TO (MAXVALUE)',
                   (today + 730)::timestamp AT TIME ZONE 'UTC');
    FOR day IN SELECT generate_series(today - 1, today + 3, interval '1 day')::date LOOP
        EXECUTE format('CREATE TABLE skylark.%I PARTITION OF skylark.metric_samples FOR VALUES FROM (%L) TO (%L)',
                       'metric_samples_' || to_char(day, 'YYYYMMDD'), day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
        EXECUTE format('COMMENT ON TABLE skylark.%I IS %L', 'metric_samples_' || to_char(day, 'YYYYMMDD'),
                       'Rows of ' || to_char(day, 'YYYY-MM-DD') || ' (UTC).');
    END LOOP;
END
$$;
CREATE INDEX metric_samples_other_sampled_at_idx ON skylark.metric_samples_other (sampled_at);
CREATE INDEX metric_samples_later_sampled_at_idx ON skylark.metric_samples_later (sampled_at);

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
CREATE INDEX autoscaling_decisions_decided_at_idx ON skylark.autoscaling_decisions (decided_at);
