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
-- A partition a day (UTC), which skylark-collector makes ahead and drops when it is past its retention. What is before the first of them
-- is in log_rows_other, and what is years ahead in log_rows_later. There is no default partition: to make a partition
-- beside one needs a lock that no reader of the table leaves room for.
DO $$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
    day date;
BEGIN
    EXECUTE format('CREATE TABLE skylark.log_rows_other PARTITION OF skylark.log_rows FOR VALUES FROM (MINVALUE) TO (%L)',
                   (today - 1)::timestamp AT TIME ZONE 'UTC');
    EXECUTE format('CREATE TABLE skylark.log_rows_later PARTITION OF skylark.log_rows FOR VALUES FROM (%L) TO (MAXVALUE)',
                   (today + 730)::timestamp AT TIME ZONE 'UTC');
    FOR day IN SELECT generate_series(today - 1, today + 3, interval '1 day')::date LOOP
        EXECUTE format('CREATE TABLE skylark.%I PARTITION OF skylark.log_rows FOR VALUES FROM (%L) TO (%L)',
                       'log_rows_' || to_char(day, 'YYYYMMDD'), day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
        EXECUTE format('COMMENT ON TABLE skylark.%I IS %L', 'log_rows_' || to_char(day, 'YYYYMMDD'),
                       'Rows of ' || to_char(day, 'YYYY-MM-DD') || ' (UTC).');
    END LOOP;
END
$$;
CREATE INDEX log_rows_other_logged_at_idx ON skylark.log_rows_other (logged_at);
CREATE INDEX log_rows_later_logged_at_idx ON skylark.log_rows_later (logged_at);

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
