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
