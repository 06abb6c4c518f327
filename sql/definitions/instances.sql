-- What is: what the tables of 0003_instances mean, and how a change reaches the deployers.

COMMENT ON TABLE skylark.reconcile_queue IS 'One row a service: when a deployer has to look at it next, and which one is doing so.';
COMMENT ON COLUMN skylark.reconcile_queue.service_id IS 'Which service.';
COMMENT ON COLUMN skylark.reconcile_queue.wakes IS 'Rises with every reason to look, so that one that comes up during a pass is not lost at its end.';
COMMENT ON COLUMN skylark.reconcile_queue.due_at IS 'When to look next.';
COMMENT ON COLUMN skylark.reconcile_queue.request_id IS 'X-Request-Id of the latest change, for the deployer''s log.';
COMMENT ON COLUMN skylark.reconcile_queue.lease_owner IS 'Deployer that works on it now.';
COMMENT ON COLUMN skylark.reconcile_queue.lease_until IS 'Until when the lease holds; then any deployer may take over.';
COMMENT ON COLUMN skylark.reconcile_queue.failures IS 'Failed passes in a row; sets the back-off.';

COMMENT ON TABLE skylark.wakes IS 'Reasons to look at a service, as they come: only ever added to, so that who has one never waits for a lock on the service or its place in the queue. The deployers take them over into reconcile_queue.';
COMMENT ON COLUMN skylark.wakes.id IS 'Key.';
COMMENT ON COLUMN skylark.wakes.service_id IS 'Which service; it may be gone by now.';
COMMENT ON COLUMN skylark.wakes.changed IS 'Whether what is wanted was changed: then failures of before do not count any more.';
COMMENT ON COLUMN skylark.wakes.request_id IS 'X-Request-Id of the request that changed it.';
COMMENT ON COLUMN skylark.wakes.woken_at IS 'When.';

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
COMMENT ON COLUMN skylark.instances.address IS 'Its address in the network that it was made in, that of its namespace or of its service, while it runs.';
COMMENT ON COLUMN skylark.instances.ready_at IS 'Since when it takes requests: its ports have answered, or its image''s health check says healthy; null while that says unhealthy.';
COMMENT ON COLUMN skylark.instances.unroute_requested_at IS 'When the deployer asked the fronts to send it no more requests; SIGTERM follows when it is drained.';
COMMENT ON COLUMN skylark.instances.route_xid IS 'Transaction in which it last became, or ceased to be, one that fronts send requests to. A front serves that state once its applied_snapshot sees this.';
COMMENT ON COLUMN skylark.instances.unrouted_at IS 'When every front had stopped to send it requests: from then on its connections have time to end.';
COMMENT ON COLUMN skylark.instances.removal_failures IS 'How often in a row the engine failed to kill or remove its container.';
COMMENT ON COLUMN skylark.instances.removal_due_at IS 'When that is tried again.';
COMMENT ON COLUMN skylark.instances.removal_fault IS 'Why it failed, in the engine''s words.';

COMMENT ON TABLE skylark.instance_ports IS 'The ports that each instance was made with, which may be older than the service''s. Written by the deployer only.';
COMMENT ON COLUMN skylark.instance_ports.instance_id IS 'Whose.';
COMMENT ON COLUMN skylark.instance_ports.position IS 'Place in the list, from 1.';
COMMENT ON COLUMN skylark.instance_ports.container_port IS 'Port inside the instance.';
COMMENT ON COLUMN skylark.instance_ports.protocol IS 'tcp or udp.';
COMMENT ON COLUMN skylark.instance_ports.endpoint_type IS 'How it is reached.';
COMMENT ON COLUMN skylark.instance_ports.host_address IS 'Of a direct-endpoint: address of the node where it is published.';
COMMENT ON COLUMN skylark.instance_ports.host_port IS 'Of a direct-endpoint: the port there.';

COMMENT ON TABLE skylark.kept_volumes IS 'What a service has on the engine for a directory, from its first instance until it is deleted, mounted or not. Written by the deployer only.';
COMMENT ON COLUMN skylark.kept_volumes.service_id IS 'Whose.';
COMMENT ON COLUMN skylark.kept_volumes.app_volume_dir IS 'Where instances mount it, while volumes has an entry for it.';
COMMENT ON COLUMN skylark.kept_volumes.number IS 'The number in its names on the engine: id of the entry in volumes that it was first made for.';
COMMENT ON COLUMN skylark.kept_volumes.volume_type IS 'Type that it was made by.';
COMMENT ON COLUMN skylark.kept_volumes.size_gb IS 'Size that it was made with, in GiB.';
COMMENT ON COLUMN skylark.kept_volumes.driver IS 'What the type was on the engine then, and still is for this volume in slots that get theirs later.';
COMMENT ON COLUMN skylark.kept_volumes.options IS 'Options of the driver, likewise.';
COMMENT ON COLUMN skylark.kept_volumes.made_at IS 'When.';

COMMENT ON TABLE skylark.engines IS 'Engines and when a deployer last compared all that they hold with the rows. While observed_at is old, no count can be vouched for, and the API says so.';
COMMENT ON COLUMN skylark.engines.engine_id IS 'The engine''s own id.';
COMMENT ON COLUMN skylark.engines.name IS 'Host name of the engine.';
COMMENT ON COLUMN skylark.engines.version IS 'Version of the engine.';
COMMENT ON COLUMN skylark.engines.cpus IS 'CPUs of the node.';
COMMENT ON COLUMN skylark.engines.memory_bytes IS 'Memory of the node.';
COMMENT ON COLUMN skylark.engines.address IS 'Address of the node where the ports of direct-endpoints are published; null: at all of its addresses.';
COMMENT ON COLUMN skylark.engines.state IS 'Whether the engine answered the latest pass.';
COMMENT ON COLUMN skylark.engines.message IS 'Why it is unreachable.';
COMMENT ON COLUMN skylark.engines.changed_at IS 'Since when state is what it is.';
COMMENT ON COLUMN skylark.engines.observed_at IS 'When a deployer last tried.';

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

-- Every change of what is wanted reaches the deployers, whoever made it: the API or a DBA.
CREATE FUNCTION skylark.services_enqueue() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO skylark.service_status (service_id) VALUES (NEW.id) ON CONFLICT DO NOTHING;
        INSERT INTO skylark.reconcile_queue (service_id) VALUES (NEW.id) ON CONFLICT DO NOTHING;
    END IF;
    INSERT INTO skylark.wakes (service_id, changed, request_id)
    VALUES (NEW.id, true, NULLIF(current_setting('skylark.request_id', true), ''));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.services_enqueue IS 'Wakes the deployers for a changed service, without a lock on anything.';
CREATE TRIGGER services_inserted AFTER INSERT ON skylark.services
    FOR EACH ROW EXECUTE FUNCTION skylark.services_enqueue();
CREATE TRIGGER services_updated AFTER UPDATE ON skylark.services
    FOR EACH ROW
    WHEN ((OLD.generation, OLD.target_state, OLD.target_num_instances, OLD.deleted_at)
          IS DISTINCT FROM
          (NEW.generation, NEW.target_state, NEW.target_num_instances, NEW.deleted_at))
    EXECUTE FUNCTION skylark.services_enqueue();

CREATE FUNCTION skylark.wakes_told() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    PERFORM pg_notify('skylark_services', w.service_id::text) FROM woken w LIMIT 1;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.wakes_told IS 'Wakes the deployers (NOTIFY skylark_services, with one of the services).';
CREATE TRIGGER wakes_told AFTER INSERT ON skylark.wakes REFERENCING NEW TABLE AS woken
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.wakes_told();

-- An internal-endpoint is reached from linked services only: what has one is in a network of its own, and shares one more with
-- each service that it is linked with.
CREATE FUNCTION skylark.is_apart(service uuid) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog
AS $$
    SELECT EXISTS (SELECT FROM skylark.ports p WHERE p.service_id = service AND p.endpoint_type = 'internal-endpoint')
        OR EXISTS (SELECT FROM skylark.instances i JOIN skylark.instance_ports o ON o.instance_id = i.id
                   WHERE i.service_id = service AND i.state NOT IN ('exited', 'removed') AND o.endpoint_type = 'internal-endpoint')
$$;
COMMENT ON FUNCTION skylark.is_apart IS 'Whether a service, or an instance of it that is still there, has an internal-endpoint and so is not in the network of its namespace.';
