-- What a service is reached by and what it keeps: public ports, domain names, routes, volumes.

-- --- the installation ---

ALTER TABLE skylark.installation
    ADD COLUMN service_port_first integer NOT NULL DEFAULT 20000 CHECK (service_port_first BETWEEN 1 AND 65535),
    ADD COLUMN service_port_last integer NOT NULL DEFAULT 29999 CHECK (service_port_last BETWEEN 1 AND 65535),
    ADD COLUMN front_address inet,
    ADD COLUMN host_names text[] NOT NULL DEFAULT '{localhost}',
    ADD CHECK (service_port_first <= service_port_last);
COMMENT ON COLUMN skylark.installation.service_port_first IS 'First of the public ports that tcp-endpoints get.';
COMMENT ON COLUMN skylark.installation.service_port_last IS 'Last of them. A port that is reserved stays so when the range changes.';
COMMENT ON COLUMN skylark.installation.front_address IS 'Address of the front, for the ipaddress of endpoints that it serves; null: not shown.';
COMMENT ON COLUMN skylark.installation.host_names IS 'The operator''s own host names, which no service may have.';

-- --- domain names ---

CREATE TABLE skylark.custom_domains (
    name text PRIMARY KEY CHECK (skylark.is_host_name(name) AND name !~ '(^|\.)[0-9]+$'),
    service_id uuid NOT NULL REFERENCES skylark.services ON DELETE CASCADE,
    position integer NOT NULL
);
CREATE INDEX custom_domains_service_id_idx ON skylark.custom_domains (service_id);
COMMENT ON TABLE skylark.custom_domains IS 'The users'' own host names for their services; each leads to one service.';
COMMENT ON COLUMN skylark.custom_domains.name IS 'Host name in lower case, never an IP address. Unique over all namespaces.';
COMMENT ON COLUMN skylark.custom_domains.service_id IS 'The service it leads to.';
COMMENT ON COLUMN skylark.custom_domains.position IS 'Place in the list as the user gave it.';
INSERT INTO skylark.custom_domains (name, service_id, position)
SELECT s.custom_domain_name, s.id, 1
FROM skylark.services s
WHERE s.deleted_at IS NULL AND s.custom_domain_name !~ '(^|\.)[0-9]+$';

DROP TRIGGER services_updated ON skylark.services;
CREATE TRIGGER services_updated AFTER UPDATE ON skylark.services
    FOR EACH ROW
    WHEN ((OLD.generation, OLD.target_state, OLD.target_num_instances, OLD.deleted_at)
          IS DISTINCT FROM
          (NEW.generation, NEW.target_state, NEW.target_num_instances, NEW.deleted_at))
    EXECUTE FUNCTION skylark.services_enqueue();

CREATE FUNCTION skylark.endpoint_domain(p_service_id uuid, p_port_id bigint, p_container_port integer, p_endpoint_type text,
                                        p_label text, p_base_domain text) RETURNS text
    LANGUAGE sql STABLE
    RETURN CASE WHEN p_endpoint_type = 'http-endpoint'
                     AND EXISTS (SELECT FROM skylark.ports f
                                 WHERE f.service_id = p_service_id AND f.endpoint_type = 'http-endpoint' AND f.id < p_port_id)
                THEN p_container_port || '.' ELSE '' END || p_label || '.' || p_base_domain;
COMMENT ON FUNCTION skylark.endpoint_domain IS 'Default domain of a port: the service''s own; further http-endpoints of one service have their container port in front of it.';

-- --- public ports ---

CREATE SEQUENCE skylark.service_port_turn CYCLE;
COMMENT ON SEQUENCE skylark.service_port_turn IS 'Where in the range the next public port is looked for, so that one just given back is the last to be given out again.';

CREATE FUNCTION skylark.ports_reserve() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    range record;
    start integer;
BEGIN
    IF NEW.endpoint_type <> 'tcp-endpoint' THEN
        NEW.service_port := NULL;
        RETURN NEW;
    END IF;
    IF NEW.service_port IS NOT NULL THEN
        RETURN NEW;
    END IF;
    -- One at a time, until its transaction ends: else two would find the same one free.
    PERFORM pg_advisory_xact_lock(hashtext('skylark.ports.service_port'));
    SELECT i.service_port_first AS first, i.service_port_last AS last INTO range FROM skylark.installation i;
    start := range.first + (nextval('skylark.service_port_turn') % (range.last - range.first + 1))::integer;
    SELECT f.port INTO NEW.service_port
    FROM (SELECT port FROM generate_series(start, range.last) port
          UNION ALL
          SELECT port FROM generate_series(range.first, start - 1) port) f
    WHERE NOT EXISTS (SELECT FROM skylark.ports p WHERE p.service_port = f.port AND p.protocol = NEW.protocol)
    LIMIT 1;
    IF NEW.service_port IS NULL THEN
        RAISE EXCEPTION 'all public % ports from % to % are reserved', NEW.protocol, range.first, range.last
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'ports_service_port_range';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION skylark.ports_reserve IS 'Gives a tcp-endpoint its public port, out of the installation''s range, in the transaction that asks for it; none is left: unique_violation of ports_service_port_range.';
CREATE TRIGGER ports_reserve BEFORE INSERT OR UPDATE OF endpoint_type, protocol, service_port ON skylark.ports
    FOR EACH ROW EXECUTE FUNCTION skylark.ports_reserve();
UPDATE skylark.ports SET service_port = NULL WHERE service_port IS NULL OR endpoint_type <> 'tcp-endpoint';
ALTER TABLE skylark.ports ADD CHECK ((endpoint_type = 'tcp-endpoint') = (service_port IS NOT NULL));

-- Who links to a service has its ports in the environment.
CREATE FUNCTION skylark.ports_linked_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    WITH linking AS (
        SELECT s.id
        FROM skylark.services s
        WHERE s.id IN (SELECT l.service_id FROM skylark.links l JOIN changed c ON c.service_id = l.target_service_id)
        ORDER BY s.id -- in one order, or two that do this wait for each other
        FOR NO KEY UPDATE)
    UPDATE skylark.services s SET generation = s.generation + 1 FROM linking l WHERE s.id = l.id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.ports_linked_changed IS 'Raises the generation of the services that link to one whose ports change.';
CREATE TRIGGER ports_linked_inserted AFTER INSERT ON skylark.ports REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.ports_linked_changed();
CREATE TRIGGER ports_linked_deleted AFTER DELETE ON skylark.ports REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.ports_linked_changed();

-- --- volumes ---

CREATE TABLE skylark.volume_types (
    name text PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$'),
    driver text NOT NULL DEFAULT 'local' CHECK (driver ~ '^[A-Za-z0-9][A-Za-z0-9_./:-]{0,199}$'),
    options jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(options) = 'object'),
    size_enforced boolean NOT NULL GENERATED ALWAYS AS (options::text LIKE '%{size_gb}%') STORED
);
COMMENT ON TABLE skylark.volume_types IS 'What each volume_type of the API is on the engine. Edit with `skylarkctl volume-type`; volumes made afterwards follow.';
COMMENT ON COLUMN skylark.volume_types.name IS 'The type''s name in the API.';
COMMENT ON COLUMN skylark.volume_types.driver IS 'The engine''s volume driver.';
COMMENT ON COLUMN skylark.volume_types.options IS 'Options of the driver, texts; {size_gb}, {namespace}, {service} and {volume} in them become the volume''s own.';
COMMENT ON COLUMN skylark.volume_types.size_enforced IS 'Whether the driver is told the size. If not, size_gb is a wish.';
INSERT INTO skylark.volume_types (name) VALUES ('EBS');
INSERT INTO skylark.volume_types (name) SELECT DISTINCT v.volume_type FROM skylark.volumes v ON CONFLICT DO NOTHING;
ALTER TABLE skylark.volumes ADD FOREIGN KEY (volume_type) REFERENCES skylark.volume_types;

-- --- instances: where they are reached, and whether they should be ---

ALTER TABLE skylark.instances
    ADD COLUMN address inet,
    ADD COLUMN ready_at timestamptz,
    ADD COLUMN unroute_requested_at timestamptz,
    ADD COLUMN route_xid xid8;
CREATE INDEX instances_slot_idx ON skylark.instances (service_id, slot, created_at);
CREATE INDEX instances_route_xid_idx ON skylark.instances (route_xid) WHERE state = 'running';
COMMENT ON COLUMN skylark.instances.address IS 'Its address in the network of its namespace, while it runs.';
COMMENT ON COLUMN skylark.instances.ready_at IS 'When its ports first answered, or its image''s health check first said healthy.';
COMMENT ON COLUMN skylark.instances.unroute_requested_at IS 'When the deployer asked the fronts to send it no more requests; SIGTERM follows when it is drained.';
COMMENT ON COLUMN skylark.instances.route_xid IS 'Transaction in which it last became, or ceased to be, one that fronts send requests to. A front serves that state once its applied_snapshot sees this.';

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
COMMENT ON TABLE skylark.instance_ports IS 'The ports that each instance was made with, which may be older than the service''s. Written by the deployer only.';
COMMENT ON COLUMN skylark.instance_ports.instance_id IS 'Whose.';
COMMENT ON COLUMN skylark.instance_ports.position IS 'Place in the list, from 1.';
COMMENT ON COLUMN skylark.instance_ports.container_port IS 'Port inside the instance.';
COMMENT ON COLUMN skylark.instance_ports.protocol IS 'tcp or udp.';
COMMENT ON COLUMN skylark.instance_ports.endpoint_type IS 'How it is reached.';
COMMENT ON COLUMN skylark.instance_ports.host_address IS 'Of a direct-endpoint: address of the node where it is published.';
COMMENT ON COLUMN skylark.instance_ports.host_port IS 'Of a direct-endpoint: the port there.';

CREATE TABLE skylark.fronts (
    name text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 255),
    applied_snapshot pg_snapshot,
    applied_at timestamptz,
    servers integer NOT NULL DEFAULT 0,
    busy uuid[] NOT NULL DEFAULT '{}',
    fault text NOT NULL DEFAULT '',
    fault_since timestamptz,
    observed_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((fault = '') = (fault_since IS NULL))
);
COMMENT ON TABLE skylark.fronts IS 'The nginx of each host that serves services, and which routes it serves. Written by its skylark-router only.';
COMMENT ON COLUMN skylark.fronts.name IS 'Name of the host, or as the router''s setting says.';
COMMENT ON COLUMN skylark.fronts.applied_snapshot IS 'The state of the database whose routes it serves: every change that this sees is served.';
COMMENT ON COLUMN skylark.fronts.applied_at IS 'When that began.';
COMMENT ON COLUMN skylark.fronts.servers IS 'Instances that it sends requests to.';
COMMENT ON COLUMN skylark.fronts.busy IS 'Instances that get no more requests but still hold connections of it.';
COMMENT ON COLUMN skylark.fronts.fault IS 'Why newer routes are not served, in nginx''s words; empty when all is well.';
COMMENT ON COLUMN skylark.fronts.fault_since IS 'Since when.';
COMMENT ON COLUMN skylark.fronts.observed_at IS 'When its router last reported. One that is silent for over 30 seconds is not waited for.';

CREATE VIEW skylark.live_fronts AS
SELECT f.name, f.applied_snapshot, f.busy, f.fault FROM skylark.fronts f WHERE f.observed_at > now() - interval '30 seconds';
COMMENT ON VIEW skylark.live_fronts IS 'Fronts whose router reports; the others are not waited for.';
COMMENT ON COLUMN skylark.live_fronts.name IS 'As in fronts.';
COMMENT ON COLUMN skylark.live_fronts.applied_snapshot IS 'As in fronts.';
COMMENT ON COLUMN skylark.live_fronts.busy IS 'As in fronts.';
COMMENT ON COLUMN skylark.live_fronts.fault IS 'As in fronts.';

-- Everything that changes what a front serves wakes the routers.
CREATE FUNCTION skylark.routes_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    PERFORM pg_notify('skylark_routes', '');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.routes_changed IS 'Wakes the routers (NOTIFY skylark_routes).';
CREATE TRIGGER ports_routes AFTER INSERT OR UPDATE OR DELETE ON skylark.ports
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.routes_changed();
CREATE TRIGGER custom_domains_routes AFTER INSERT OR UPDATE OR DELETE ON skylark.custom_domains
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.routes_changed();
CREATE TRIGGER services_routes AFTER UPDATE ON skylark.services
    FOR EACH ROW WHEN ((OLD.deleted_at, OLD.domain_label) IS DISTINCT FROM (NEW.deleted_at, NEW.domain_label))
    EXECUTE FUNCTION skylark.routes_changed();
CREATE TRIGGER installation_routes AFTER UPDATE ON skylark.installation
    FOR EACH ROW WHEN (OLD.base_domain <> NEW.base_domain) EXECUTE FUNCTION skylark.routes_changed();

CREATE FUNCTION skylark.instances_route_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    NEW.route_xid := pg_current_xact_id();
    PERFORM pg_notify('skylark_routes', '');
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION skylark.instances_route_changed IS 'Notes the transaction in which an instance became, or ceased to be, one to send requests to, and wakes the routers.';
CREATE TRIGGER instances_route_changed BEFORE UPDATE ON skylark.instances
    FOR EACH ROW
    WHEN ((OLD.state = 'running' AND OLD.ready_at IS NOT NULL AND OLD.unroute_requested_at IS NULL, OLD.address)
          IS DISTINCT FROM
          (NEW.state = 'running' AND NEW.ready_at IS NOT NULL AND NEW.unroute_requested_at IS NULL, NEW.address))
    EXECUTE FUNCTION skylark.instances_route_changed();

-- Instances from before are in no network of their namespace, and what ports they have is not known: new ones take their
-- places, by and by.
UPDATE skylark.services SET generation = generation + 1 WHERE deleted_at IS NULL;

-- --- documents and views ---

CREATE OR REPLACE VIEW skylark.instance_documents AS
SELECT i.service_id, i.id AS instance_id, i.slot, i.created_at, i.state,
       json_build_object(
           'uuid', i.id,
           'instance_name', s.name || '.' || i.slot,
           'service_name', s.name,
           'namespace', n.name,
           'status', i.state,
           'created_at', skylark.iso_time(i.created_at),
           'started_at', skylark.iso_time(i.started_at),
           'ready_at', skylark.iso_time(i.ready_at),
           'finished_at', skylark.iso_time(i.finished_at),
           'exit_code', i.exit_code,
           'reason', i.reason,
           'restarts', i.restarts,
           'container_id', i.container_id,
           'last_failure', (
               SELECT json_build_object('uuid', f.id, 'finished_at', skylark.iso_time(f.finished_at),
                                        'exit_code', f.exit_code, 'reason', f.reason)
               FROM skylark.instances f
               WHERE f.service_id = i.service_id AND f.slot = i.slot AND f.created_at < i.created_at
                 AND f.state IN ('exited', 'removed') AND f.stop_requested_at IS NULL AND f.unroute_requested_at IS NULL
               ORDER BY f.created_at DESC
               LIMIT 1),
           'instance_ports', COALESCE((
               SELECT json_agg(json_build_object(
                   'container_port', o.container_port, 'protocol', o.protocol, 'endpoint_type', o.endpoint_type,
                   'service_port', CASE o.endpoint_type WHEN 'direct-endpoint' THEN o.host_port ELSE p.service_port END,
                   'default_domain', COALESCE(skylark.endpoint_domain(p.service_id, p.id, p.container_port, p.endpoint_type,
                                                                      s.domain_label, g.base_domain),
                                              s.domain_label || '.' || g.base_domain),
                   'ipaddress', host(CASE o.endpoint_type WHEN 'direct-endpoint' THEN o.host_address
                                                          WHEN 'internal-endpoint' THEN i.address
                                                          ELSE g.front_address END)) ORDER BY o.position)
               FROM skylark.instance_ports o
               LEFT JOIN skylark.ports p ON (p.service_id, p.container_port, p.protocol, p.endpoint_type)
                                          = (i.service_id, o.container_port, o.protocol, o.endpoint_type)
               WHERE o.instance_id = i.id), '[]'::json),
           'resource_uri', '/v1/services/' || n.name || '/' || s.name || '/instances/' || i.id || '/') AS document
FROM skylark.instances i
JOIN skylark.services s ON s.id = i.service_id
JOIN skylark.namespaces n ON n.id = s.namespace_id
JOIN skylark.installation g ON g.only_row;

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
                   'service_port', p.service_port,
                   'default_domain', skylark.endpoint_domain(p.service_id, p.id, p.container_port, p.endpoint_type,
                                                             s.domain_label, g.base_domain),
                   'ipaddress', CASE WHEN p.endpoint_type IN ('http-endpoint', 'tcp-endpoint') THEN host(g.front_address) END)
                   ORDER BY p.id)
               FROM skylark.ports p WHERE p.service_id = s.id), '[]'::json),
           'linked_to', COALESCE((
               SELECT json_object_agg(l.target_service_id, l.alias ORDER BY l.target_service_id)
               FROM skylark.links l WHERE l.service_id = s.id)::text, '{}'),
           'run_command', s.run_command,
           'custom_domain_name', COALESCE((
               SELECT string_agg(c.name, ',' ORDER BY c.position) FROM skylark.custom_domains c WHERE c.service_id = s.id), ''),
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

ALTER TABLE skylark.services DROP COLUMN custom_domain_name;

CREATE VIEW skylark.endpoints_overview AS
SELECT n.name AS namespace, s.name AS service, p.endpoint_type, p.container_port, p.protocol, p.service_port,
       CASE WHEN p.endpoint_type = 'http-endpoint'
            THEN concat_ws(',', skylark.endpoint_domain(p.service_id, p.id, p.container_port, p.endpoint_type, s.domain_label,
                                                        g.base_domain),
                           (SELECT string_agg(c.name, ',' ORDER BY c.position) FROM skylark.custom_domains c
                            WHERE c.service_id = s.id
                              AND NOT EXISTS (SELECT FROM skylark.ports f WHERE f.service_id = s.id AND f.id < p.id
                                                                            AND f.endpoint_type = 'http-endpoint')))
       END AS host_names,
       (SELECT count(*) FROM skylark.instances i JOIN skylark.instance_ports o ON o.instance_id = i.id
        WHERE i.service_id = s.id AND i.state = 'running' AND i.ready_at IS NOT NULL AND i.unroute_requested_at IS NULL
          AND (o.container_port, o.protocol, o.endpoint_type) = (p.container_port, p.protocol, p.endpoint_type)) AS instances
FROM skylark.ports p
JOIN skylark.services s ON s.id = p.service_id AND s.deleted_at IS NULL
JOIN skylark.namespaces n ON n.id = s.namespace_id
CROSS JOIN skylark.installation g;
COMMENT ON VIEW skylark.endpoints_overview IS 'How every port is reached, and how many instances stand behind it, for people.';
COMMENT ON COLUMN skylark.endpoints_overview.namespace IS 'Namespace.';
COMMENT ON COLUMN skylark.endpoints_overview.service IS 'Service.';
COMMENT ON COLUMN skylark.endpoints_overview.endpoint_type IS 'How it is reached.';
COMMENT ON COLUMN skylark.endpoints_overview.container_port IS 'Port inside the instances.';
COMMENT ON COLUMN skylark.endpoints_overview.protocol IS 'tcp or udp.';
COMMENT ON COLUMN skylark.endpoints_overview.service_port IS 'Public port of a tcp-endpoint.';
COMMENT ON COLUMN skylark.endpoints_overview.host_names IS 'Host names of an http-endpoint.';
COMMENT ON COLUMN skylark.endpoints_overview.instances IS 'Instances that answer there and are to get requests.';

-- --- rights ---

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA skylark FROM PUBLIC;
GRANT EXECUTE ON FUNCTION skylark.endpoint_domain TO skylark_api, skylark_router, skylark_dba;
GRANT EXECUTE ON FUNCTION skylark.is_host_name TO skylark_router;
GRANT SELECT ON skylark.custom_domains, skylark.volume_types, skylark.instance_ports, skylark.fronts, skylark.live_fronts
    TO skylark_api, skylark_deployer, skylark_dba;
GRANT SELECT ON skylark.endpoints_overview TO skylark_dba;
GRANT INSERT, UPDATE, DELETE ON skylark.custom_domains TO skylark_api;
GRANT INSERT, UPDATE ON skylark.instance_ports TO skylark_deployer;
GRANT USAGE ON SCHEMA skylark TO skylark_router;
GRANT SELECT ON skylark.schema_migrations, skylark.installation, skylark.namespaces, skylark.services, skylark.ports,
    skylark.custom_domains, skylark.instances, skylark.instance_ports, skylark.fronts TO skylark_router;
GRANT INSERT, UPDATE ON skylark.fronts TO skylark_router;
GRANT SELECT (service_id, wakes, due_at), UPDATE (wakes, due_at) ON skylark.reconcile_queue TO skylark_router;
