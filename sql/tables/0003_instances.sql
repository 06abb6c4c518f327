-- What is: the work queue of the deployers, the instances they made and what they saw of them.

CREATE TABLE skylark.reconcile_queue (
    service_id uuid PRIMARY KEY REFERENCES skylark.services ON DELETE CASCADE,
    wakes bigint NOT NULL DEFAULT 1,
    due_at timestamptz NOT NULL DEFAULT now(),
    request_id text,
    lease_owner text,
    lease_until timestamptz,
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL))
);
CREATE INDEX reconcile_queue_due_at_idx ON skylark.reconcile_queue (due_at);

CREATE TABLE skylark.wakes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service_id uuid NOT NULL,
    changed boolean NOT NULL DEFAULT false,
    request_id text,
    woken_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX wakes_service_id_idx ON skylark.wakes (service_id);

CREATE TABLE skylark.service_status (
    service_id uuid PRIMARY KEY REFERENCES skylark.services ON DELETE CASCADE,
    observed_revision bigint NOT NULL DEFAULT 0,
    observed_generation bigint NOT NULL DEFAULT 0,
    observed_at timestamptz,
    condition text NOT NULL DEFAULT 'progressing' CHECK (condition IN ('progressing', 'settled', 'failing')),
    message text NOT NULL DEFAULT '',
    image_generation bigint,
    image_id text,
    image_note text NOT NULL DEFAULT '',
    running integer NOT NULL DEFAULT 0,
    started_at timestamptz,
    stopped_at timestamptz
);

CREATE TABLE skylark.instances (
    id uuid PRIMARY KEY,
    service_id uuid NOT NULL REFERENCES skylark.services ON DELETE CASCADE,
    slot integer NOT NULL CHECK (slot >= 0),
    generation bigint NOT NULL CHECK (generation > 0),
    engine_id text NOT NULL,
    container_id text UNIQUE,
    state text NOT NULL DEFAULT 'intended'
        CHECK (state IN ('intended', 'created', 'running', 'exited', 'removed')),
    restarts integer NOT NULL DEFAULT 0 CHECK (restarts >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    stop_requested_at timestamptz,
    finished_at timestamptz,
    exit_code integer,
    reason text NOT NULL DEFAULT '',
    removed_at timestamptz,
    address inet,
    ready_at timestamptz,
    unroute_requested_at timestamptz,
    route_xid xid8,
    unrouted_at timestamptz,
    removal_failures integer NOT NULL DEFAULT 0 CHECK (removal_failures >= 0),
    removal_due_at timestamptz,
    removal_fault text NOT NULL DEFAULT '',
    CHECK (state IN ('intended', 'removed') OR container_id IS NOT NULL),
    CHECK ((state = 'removed') = (removed_at IS NOT NULL))
);
CREATE UNIQUE INDEX instances_live_slot_key ON skylark.instances (service_id, slot, generation)
    WHERE state IN ('intended', 'created', 'running');
CREATE UNIQUE INDEX instances_short_id_key ON skylark.instances (service_id, left(id::text, 8));
CREATE INDEX instances_present_idx ON skylark.instances (service_id) WHERE state IN ('created', 'running');
CREATE INDEX instances_removed_idx ON skylark.instances (removed_at) WHERE state = 'removed';
CREATE INDEX instances_held_idx ON skylark.instances (id) WHERE state IN ('created', 'running', 'exited');
CREATE INDEX instances_slot_idx ON skylark.instances (service_id, slot, created_at);
CREATE INDEX instances_route_xid_idx ON skylark.instances (route_xid) WHERE state = 'running';

CREATE TABLE skylark.instance_ports (
    instance_id uuid NOT NULL REFERENCES skylark.instances ON DELETE CASCADE,
    position integer NOT NULL,
    container_port integer NOT NULL CHECK (container_port BETWEEN 1 AND 65535),
    protocol text NOT NULL CHECK (protocol IN ('tcp', 'udp')),
    endpoint_type text NOT NULL CHECK (endpoint_type IN ('tcp-endpoint', 'http-endpoint', 'direct-endpoint', 'internal-endpoint')),
    host_address inet,
    host_port integer CHECK (host_port BETWEEN 1 AND 65535),
    PRIMARY KEY (instance_id, position),
    UNIQUE (instance_id, container_port, protocol, endpoint_type)
);

CREATE TABLE skylark.kept_volumes (
    service_id uuid NOT NULL REFERENCES skylark.services ON DELETE CASCADE,
    app_volume_dir text NOT NULL,
    number bigint NOT NULL UNIQUE,
    volume_type text NOT NULL,
    size_gb integer NOT NULL,
    driver text NOT NULL,
    options jsonb NOT NULL CHECK (jsonb_typeof(options) = 'object'),
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (service_id, app_volume_dir)
);

CREATE TABLE skylark.engines (
    engine_id text PRIMARY KEY,
    name text NOT NULL DEFAULT '',
    version text NOT NULL DEFAULT '',
    cpus integer,
    memory_bytes bigint,
    address inet,
    state text NOT NULL CHECK (state IN ('reachable', 'unreachable')),
    message text NOT NULL DEFAULT '',
    changed_at timestamptz NOT NULL DEFAULT now(),
    observed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE skylark.image_pulls (
    image_ref text PRIMARY KEY,
    state text NOT NULL DEFAULT 'wanted' CHECK (state IN ('wanted', 'pulling', 'done', 'failed')),
    requested_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    failures integer NOT NULL DEFAULT 0,
    image_id text,
    progress text NOT NULL DEFAULT '',
    error text NOT NULL DEFAULT '',
    lease_owner text,
    lease_until timestamptz,
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL))
);
CREATE INDEX image_pulls_open_idx ON skylark.image_pulls (requested_at) WHERE state IN ('wanted', 'pulling');
CREATE INDEX image_pulls_ended_idx ON skylark.image_pulls (finished_at) WHERE state IN ('done', 'failed');

CREATE TABLE skylark.events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    occurred_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    namespace_name text NOT NULL,
    service_name text NOT NULL,
    service_id uuid NOT NULL,
    actor text NOT NULL,
    action text NOT NULL CHECK (action ~ '^[a-z]+(_[a-z]+)*$'),
    reason text NOT NULL DEFAULT '',
    request_id text
);
CREATE INDEX events_service_id_idx ON skylark.events (service_id, occurred_at);
CREATE INDEX events_occurred_at_idx ON skylark.events (occurred_at);
