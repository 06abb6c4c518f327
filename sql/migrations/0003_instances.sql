-- What is: the work queue of the deployers, the instances they made and what they saw of them.

CREATE TABLE skylark.reconcile_queue (
    service_id uuid PRIMARY KEY REFERENCES skylark.services ON DELETE CASCADE,
    revision bigint NOT NULL DEFAULT 1,
    wakes bigint NOT NULL DEFAULT 1,
    due_at timestamptz NOT NULL DEFAULT now(),
    request_id text,
    lease_owner text,
    lease_until timestamptz,
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL))
);
CREATE INDEX reconcile_queue_due_at_idx ON skylark.reconcile_queue (due_at);
COMMENT ON TABLE skylark.reconcile_queue IS 'One row a service: when a deployer has to look at it next, and which one is doing so.';
COMMENT ON COLUMN skylark.reconcile_queue.service_id IS 'Which service.';
COMMENT ON COLUMN skylark.reconcile_queue.revision IS 'Rises with every change of what the user wants; service_status.observed_revision follows it.';
COMMENT ON COLUMN skylark.reconcile_queue.wakes IS 'Rises with every reason to look, so that one that comes up during a pass is not lost at its end.';
COMMENT ON COLUMN skylark.reconcile_queue.due_at IS 'When to look next.';
COMMENT ON COLUMN skylark.reconcile_queue.request_id IS 'X-Request-Id of the latest change, for the deployer''s log.';
COMMENT ON COLUMN skylark.reconcile_queue.lease_owner IS 'Deployer that works on it now.';
COMMENT ON COLUMN skylark.reconcile_queue.lease_until IS 'Until when the lease holds; then any deployer may take over.';
COMMENT ON COLUMN skylark.reconcile_queue.failures IS 'Failed passes in a row; sets the back-off.';

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
COMMENT ON TABLE skylark.service_status IS 'What the deployer last saw of a service as a whole. Written by the deployer only.';
COMMENT ON COLUMN skylark.service_status.service_id IS 'Which service.';
COMMENT ON COLUMN skylark.service_status.observed_revision IS 'Revision that the latest finished pass acted upon.';
COMMENT ON COLUMN skylark.service_status.observed_generation IS 'Latest generation of which all wanted instances ran.';
COMMENT ON COLUMN skylark.service_status.observed_at IS 'When the latest pass finished.';
COMMENT ON COLUMN skylark.service_status.condition IS 'progressing: steps are left; settled: nothing to do; failing: a person should read message.';
COMMENT ON COLUMN skylark.service_status.message IS 'Why, in words a user can act on; empty when all is well.';
COMMENT ON COLUMN skylark.service_status.image_generation IS 'Generation that image_id was resolved for.';
COMMENT ON COLUMN skylark.service_status.image_id IS 'Engine''s id of the image that this generation''s instances run.';
COMMENT ON COLUMN skylark.service_status.image_note IS 'What a user should know of that image, such as that the registry could not be asked for a newer one.';
COMMENT ON COLUMN skylark.service_status.running IS 'Running instances when the latest pass finished.';
COMMENT ON COLUMN skylark.service_status.started_at IS 'When it was last seen to go from no running instance to one.';
COMMENT ON COLUMN skylark.service_status.stopped_at IS 'When it was last seen to have none left after a stop.';

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
    CHECK (state IN ('intended', 'removed') OR container_id IS NOT NULL),
    CHECK ((state = 'removed') = (removed_at IS NOT NULL))
);
CREATE UNIQUE INDEX instances_live_slot_key ON skylark.instances (service_id, slot, generation)
    WHERE state IN ('intended', 'created', 'running');
CREATE UNIQUE INDEX instances_short_id_key ON skylark.instances (service_id, left(id::text, 8));
CREATE INDEX instances_present_idx ON skylark.instances (service_id) WHERE state IN ('created', 'running');
CREATE INDEX instances_held_idx ON skylark.instances (id) WHERE state IN ('created', 'running', 'exited');
COMMENT ON TABLE skylark.instances IS 'One row a container that a deployer made or is about to make; dead ones stay as long as their log rows. Written by the deployer only.';
COMMENT ON COLUMN skylark.instances.id IS 'uuid of the API: time-based (version 1). Its first 8 digits are instance_id in log lines.';
COMMENT ON COLUMN skylark.instances.service_id IS 'Whose instance.';
COMMENT ON COLUMN skylark.instances.slot IS 'The n of its name {service}.{n}.';
COMMENT ON COLUMN skylark.instances.generation IS 'Generation of the service that it was made from.';
COMMENT ON COLUMN skylark.instances.engine_id IS 'Engine that holds the container.';
COMMENT ON COLUMN skylark.instances.container_id IS 'The engine''s id of the container.';
COMMENT ON COLUMN skylark.instances.state IS 'intended: not on the engine yet; created: exists, does not run; running: runs; exited: stands still, its log is being kept; removed: gone from the engine. As last observed.';
COMMENT ON COLUMN skylark.instances.restarts IS 'How many instances of this slot failed one after the other before this one.';
COMMENT ON COLUMN skylark.instances.created_at IS 'When the row was made.';
COMMENT ON COLUMN skylark.instances.started_at IS 'When the engine says that it started.';
COMMENT ON COLUMN skylark.instances.stop_requested_at IS 'When the deployer sent SIGTERM; SIGKILL follows after the grace period.';
COMMENT ON COLUMN skylark.instances.finished_at IS 'When the engine says that it ended.';
COMMENT ON COLUMN skylark.instances.exit_code IS 'Exit code, once ended.';
COMMENT ON COLUMN skylark.instances.reason IS 'Why it ended, in words.';
COMMENT ON COLUMN skylark.instances.removed_at IS 'When the container was seen to be gone.';

CREATE TABLE skylark.engines (
    engine_id text PRIMARY KEY,
    name text NOT NULL DEFAULT '',
    version text NOT NULL DEFAULT '',
    cpus integer,
    memory_bytes bigint,
    state text NOT NULL CHECK (state IN ('reachable', 'unreachable')),
    message text NOT NULL DEFAULT '',
    changed_at timestamptz NOT NULL DEFAULT now(),
    observed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE skylark.engines IS 'Engines and when a deployer last compared all that they hold with the rows. While observed_at is old, no count can be vouched for, and the API says so.';
COMMENT ON COLUMN skylark.engines.engine_id IS 'The engine''s own id.';
COMMENT ON COLUMN skylark.engines.name IS 'Host name of the engine.';
COMMENT ON COLUMN skylark.engines.version IS 'Version of the engine.';
COMMENT ON COLUMN skylark.engines.cpus IS 'CPUs of the node.';
COMMENT ON COLUMN skylark.engines.memory_bytes IS 'Memory of the node.';
COMMENT ON COLUMN skylark.engines.state IS 'Whether the engine answered the latest pass.';
COMMENT ON COLUMN skylark.engines.message IS 'Why it is unreachable.';
COMMENT ON COLUMN skylark.engines.changed_at IS 'Since when state is what it is.';
COMMENT ON COLUMN skylark.engines.observed_at IS 'When a deployer last tried.';

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
COMMENT ON TABLE skylark.image_pulls IS 'Images that services wait for, one row a reference, so that one pull serves all who want it. Written by the deployer only.';
COMMENT ON COLUMN skylark.image_pulls.image_ref IS '{name}:{tag}.';
COMMENT ON COLUMN skylark.image_pulls.state IS 'wanted, pulling, done or failed. A service that still waits makes a failed one wanted again after a back-off.';
COMMENT ON COLUMN skylark.image_pulls.requested_at IS 'When it was last asked for; only a pull that finished later counts.';
COMMENT ON COLUMN skylark.image_pulls.finished_at IS 'When the latest pull ended, well or not.';
COMMENT ON COLUMN skylark.image_pulls.failures IS 'Failed pulls in a row.';
COMMENT ON COLUMN skylark.image_pulls.image_id IS 'Engine''s id of the image, of the latest pull or found locally.';
COMMENT ON COLUMN skylark.image_pulls.progress IS 'How far the pull is, in words.';
COMMENT ON COLUMN skylark.image_pulls.error IS 'Why the latest pull failed, as the engine put it.';
COMMENT ON COLUMN skylark.image_pulls.lease_owner IS 'Deployer that pulls it now.';
COMMENT ON COLUMN skylark.image_pulls.lease_until IS 'Until when the lease holds.';

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
COMMENT ON TABLE skylark.events IS 'Who or what did what to which service, when and why. Only ever added to; kept as long as the collector''s event_retention.';
COMMENT ON COLUMN skylark.events.id IS 'Key.';
COMMENT ON COLUMN skylark.events.occurred_at IS 'When.';
COMMENT ON COLUMN skylark.events.namespace_name IS 'Namespace, by name, so that the event outlives it.';
COMMENT ON COLUMN skylark.events.service_name IS 'Service, by name, so that the event outlives it.';
COMMENT ON COLUMN skylark.events.service_id IS 'Service.';
COMMENT ON COLUMN skylark.events.actor IS 'user:{name}, deployer, autoscaler, or database:{role} for a change by hand.';
COMMENT ON COLUMN skylark.events.action IS 'What was done, such as service_created, instance_started, instance_died.';
COMMENT ON COLUMN skylark.events.reason IS 'Why, in words.';
COMMENT ON COLUMN skylark.events.request_id IS 'X-Request-Id of the request that asked for it.';

-- Every change of what is wanted reaches the queue, whoever made it: the API or a DBA.
CREATE FUNCTION skylark.services_enqueue() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    INSERT INTO skylark.service_status (service_id) VALUES (NEW.id) ON CONFLICT DO NOTHING;
    INSERT INTO skylark.reconcile_queue AS q (service_id, request_id)
    VALUES (NEW.id, NULLIF(current_setting('skylark.request_id', true), ''))
    ON CONFLICT (service_id) DO UPDATE
    SET revision = q.revision + 1, wakes = q.wakes + 1, due_at = now(), request_id = EXCLUDED.request_id, failures = 0;
    PERFORM pg_notify('skylark_services', NEW.id::text);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.services_enqueue IS 'Makes a changed service due at once and wakes the deployers (NOTIFY skylark_services).';
CREATE TRIGGER services_inserted AFTER INSERT ON skylark.services
    FOR EACH ROW EXECUTE FUNCTION skylark.services_enqueue();
CREATE TRIGGER services_updated AFTER UPDATE ON skylark.services
    FOR EACH ROW
    WHEN ((OLD.generation, OLD.target_state, OLD.target_num_instances, OLD.deleted_at, OLD.custom_domain_name)
          IS DISTINCT FROM
          (NEW.generation, NEW.target_state, NEW.target_num_instances, NEW.deleted_at, NEW.custom_domain_name))
    EXECUTE FUNCTION skylark.services_enqueue();

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA skylark FROM PUBLIC;
GRANT SELECT ON skylark.reconcile_queue, skylark.service_status, skylark.instances, skylark.engines,
    skylark.image_pulls, skylark.events TO skylark_api, skylark_deployer, skylark_dba;
GRANT SELECT ON skylark.instances, skylark.engines TO skylark_collector;
GRANT SELECT (service_id, wakes, due_at), UPDATE (wakes, due_at) ON skylark.reconcile_queue TO skylark_collector;
GRANT UPDATE ON skylark.reconcile_queue TO skylark_deployer;
GRANT INSERT, UPDATE ON skylark.service_status, skylark.instances, skylark.engines TO skylark_deployer;
GRANT INSERT, UPDATE, DELETE ON skylark.image_pulls TO skylark_deployer;
GRANT INSERT ON skylark.events TO skylark_api, skylark_deployer;
