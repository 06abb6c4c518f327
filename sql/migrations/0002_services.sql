-- What users want: services and everything a service is made of. Written by the API (and by a DBA:
-- the constraints and triggers here hold the rules for both), read by the deployer.

CREATE TABLE skylark.instance_sizes (
    name text PRIMARY KEY CHECK (name IN ('XXS', 'XS', 'S', 'M', 'L', 'XL')),
    cpu_millis integer NOT NULL CHECK (cpu_millis BETWEEN 10 AND 1024000),
    memory_bytes bigint NOT NULL CHECK (memory_bytes >= 16 * 1024 * 1024),
    pids_limit integer NOT NULL DEFAULT 512 CHECK (pids_limit BETWEEN 16 AND 4194304)
);
COMMENT ON TABLE skylark.instance_sizes IS 'What an instance of each size gets. Edit the figures at will; instances made afterwards get the new ones.';
COMMENT ON COLUMN skylark.instance_sizes.name IS 'The size''s name in the API.';
COMMENT ON COLUMN skylark.instance_sizes.cpu_millis IS 'Thousandths of a CPU; clamped to what the node has.';
COMMENT ON COLUMN skylark.instance_sizes.memory_bytes IS 'Memory limit, without swap.';
COMMENT ON COLUMN skylark.instance_sizes.pids_limit IS 'Processes and threads at most.';
INSERT INTO skylark.instance_sizes (name, cpu_millis, memory_bytes)
VALUES ('XXS', 125, 64 * 1024 * 1024::bigint),
       ('XS', 250, 256 * 1024 * 1024::bigint),
       ('S', 500, 512 * 1024 * 1024::bigint),
       ('M', 1000, 1024 * 1024 * 1024::bigint),
       ('L', 2000, 2048 * 1024 * 1024::bigint),
       ('XL', 4000, 4096 * 1024 * 1024::bigint);

CREATE TABLE skylark.services (
    id uuid PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    namespace_id bigint NOT NULL REFERENCES skylark.namespaces,
    name text COLLATE "C" NOT NULL CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,60}[a-z0-9])?$'),
    domain_label text NOT NULL CHECK (length(domain_label) <= 63),
    image_name text NOT NULL CHECK (length(image_name) BETWEEN 1 AND 255
        AND image_name ~ '^([A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$'),
    image_tag text NOT NULL DEFAULT 'latest' CHECK (image_tag ~ '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$'),
    run_command text NOT NULL DEFAULT '' CHECK (length(run_command) <= 8192),
    instance_size text NOT NULL REFERENCES skylark.instance_sizes,
    scaling_mode text NOT NULL DEFAULT 'MANUAL' CHECK (scaling_mode IN ('MANUAL', 'AUTO')),
    target_state text NOT NULL DEFAULT 'STARTED' CHECK (target_state IN ('STARTED', 'STOPPED')),
    target_num_instances integer NOT NULL DEFAULT 1 CHECK (target_num_instances BETWEEN 0 AND 1000),
    custom_domain_name text CHECK (skylark.is_host_name(custom_domain_name)),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    last_autoscaled_at timestamptz,
    generation bigint NOT NULL DEFAULT 1 CHECK (generation > 0),
    deleted_at timestamptz,
    UNIQUE (namespace_id, id)
);
CREATE UNIQUE INDEX services_namespace_id_name_key ON skylark.services (namespace_id, name) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX services_domain_label_key ON skylark.services (domain_label) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX services_custom_domain_name_key ON skylark.services (custom_domain_name) WHERE deleted_at IS NULL;
CREATE INDEX services_namespace_id_seq_idx ON skylark.services (namespace_id, seq) WHERE deleted_at IS NULL;
COMMENT ON TABLE skylark.services IS 'What users want to run. What really runs stands in instances and service_status.';
COMMENT ON COLUMN skylark.services.id IS 'uuid and unique_name of the API: random (version 4).';
COMMENT ON COLUMN skylark.services.seq IS 'Order of creation; pages of the list are cut along it.';
COMMENT ON COLUMN skylark.services.namespace_id IS 'Whose it is.';
COMMENT ON COLUMN skylark.services.name IS 'Name in the API, unique in the namespace among services that are not deleted.';
COMMENT ON COLUMN skylark.services.domain_label IS '{service}-{namespace}: first label of the default domain name, unique over all namespaces. Set by trigger.';
COMMENT ON COLUMN skylark.services.image_name IS 'Image without its tag.';
COMMENT ON COLUMN skylark.services.image_tag IS 'Tag of the image.';
COMMENT ON COLUMN skylark.services.run_command IS 'Words of the command, quoted as a POSIX shell would; never run through a shell. Empty: the image''s own.';
COMMENT ON COLUMN skylark.services.instance_size IS 'Limits of each instance.';
COMMENT ON COLUMN skylark.services.scaling_mode IS 'MANUAL: the user sets target_num_instances; AUTO: the autoscaler does.';
COMMENT ON COLUMN skylark.services.target_state IS 'STARTED or STOPPED, as the user asked.';
COMMENT ON COLUMN skylark.services.target_num_instances IS 'How many instances are wanted while STARTED.';
COMMENT ON COLUMN skylark.services.custom_domain_name IS 'The user''s own host name for it, unique over all namespaces.';
COMMENT ON COLUMN skylark.services.created_by IS 'Name of the user who created it.';
COMMENT ON COLUMN skylark.services.created_at IS 'When it was created.';
COMMENT ON COLUMN skylark.services.updated_at IS 'When a user last changed it.';
COMMENT ON COLUMN skylark.services.last_autoscaled_at IS 'When the autoscaler last changed target_num_instances.';
COMMENT ON COLUMN skylark.services.generation IS 'Rises with every change that needs new containers (image, command, size, environment, ports, volumes, links). Set by triggers.';
COMMENT ON COLUMN skylark.services.deleted_at IS 'When its deletion was acknowledged; the deployer removes the containers and volumes, then the row.';

CREATE TABLE skylark.envvars (
    service_id uuid NOT NULL REFERENCES skylark.services ON DELETE CASCADE,
    name text NOT NULL CHECK (length(name) <= 256 AND name ~ '^[A-Za-z_][A-Za-z0-9_.-]*$'),
    value text NOT NULL CHECK (octet_length(value) <= 32768),
    PRIMARY KEY (service_id, name)
);
COMMENT ON TABLE skylark.envvars IS 'Environment variables of a service''s instances.';
COMMENT ON COLUMN skylark.envvars.service_id IS 'Whose.';
COMMENT ON COLUMN skylark.envvars.name IS 'Name of the variable.';
COMMENT ON COLUMN skylark.envvars.value IS 'Value, 32 KiB at most.';

CREATE TABLE skylark.ports (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service_id uuid NOT NULL REFERENCES skylark.services ON DELETE CASCADE,
    container_port integer NOT NULL CHECK (container_port BETWEEN 1 AND 65535),
    protocol text NOT NULL DEFAULT 'tcp' CHECK (protocol IN ('tcp', 'udp')),
    endpoint_type text NOT NULL DEFAULT 'tcp-endpoint'
        CHECK (endpoint_type IN ('tcp-endpoint', 'http-endpoint', 'direct-endpoint', 'internal-endpoint')),
    service_port integer CHECK (service_port BETWEEN 1 AND 65535),
    UNIQUE (service_id, container_port, protocol, endpoint_type),
    CHECK (endpoint_type <> 'http-endpoint' OR protocol = 'tcp')
);
CREATE UNIQUE INDEX ports_service_port_key ON skylark.ports (service_port, protocol);
COMMENT ON TABLE skylark.ports IS 'Ports that a service''s instances listen on and how each is reached.';
COMMENT ON COLUMN skylark.ports.id IS 'Key; entries are shown in its order.';
COMMENT ON COLUMN skylark.ports.service_id IS 'Whose.';
COMMENT ON COLUMN skylark.ports.container_port IS 'Port inside the instance.';
COMMENT ON COLUMN skylark.ports.protocol IS 'tcp or udp.';
COMMENT ON COLUMN skylark.ports.endpoint_type IS 'How it is reached.';
COMMENT ON COLUMN skylark.ports.service_port IS 'Public port reserved for it; null when none is.';

CREATE TABLE skylark.volumes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service_id uuid NOT NULL REFERENCES skylark.services ON DELETE CASCADE,
    app_volume_dir text NOT NULL CHECK (length(app_volume_dir) <= 1024
        AND app_volume_dir ~ '^(/[^/[:cntrl:]:,]+)+$'
        AND app_volume_dir !~ '/\.{1,2}(/|$)'
        AND app_volume_dir !~ '^/(proc|sys|dev)(/|$)'),
    volume_type text NOT NULL DEFAULT 'EBS' CHECK (volume_type ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$'),
    size_gb integer NOT NULL CHECK (size_gb BETWEEN 1 AND 65536),
    UNIQUE (service_id, app_volume_dir)
);
COMMENT ON TABLE skylark.volumes IS 'Volumes of a service; each instance slot has its own.';
COMMENT ON COLUMN skylark.volumes.id IS 'Key; entries are shown in its order.';
COMMENT ON COLUMN skylark.volumes.service_id IS 'Whose.';
COMMENT ON COLUMN skylark.volumes.app_volume_dir IS 'Where it is mounted in the instance.';
COMMENT ON COLUMN skylark.volumes.volume_type IS 'Kind of volume, as the user named it.';
COMMENT ON COLUMN skylark.volumes.size_gb IS 'Size asked for, in GiB.';

CREATE TABLE skylark.links (
    namespace_id bigint NOT NULL,
    service_id uuid NOT NULL,
    target_service_id uuid NOT NULL CHECK (target_service_id <> service_id),
    alias text NOT NULL CHECK (alias ~ '^[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$'),
    PRIMARY KEY (service_id, target_service_id),
    UNIQUE (service_id, alias) DEFERRABLE INITIALLY DEFERRED, -- so that two links can swap their aliases
    FOREIGN KEY (namespace_id, service_id) REFERENCES skylark.services (namespace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (namespace_id, target_service_id) REFERENCES skylark.services (namespace_id, id) ON DELETE CASCADE
);
CREATE INDEX links_target_service_id_idx ON skylark.links (target_service_id);
COMMENT ON TABLE skylark.links IS 'Which service reaches which other one of its namespace, and by what alias.';
COMMENT ON COLUMN skylark.links.namespace_id IS 'Namespace of both; a link never leaves it.';
COMMENT ON COLUMN skylark.links.service_id IS 'The service that reaches out.';
COMMENT ON COLUMN skylark.links.target_service_id IS 'The service that is reached.';
COMMENT ON COLUMN skylark.links.alias IS 'Its name as the first one sees it.';

CREATE TABLE skylark.autoscaling_settings (
    service_id uuid PRIMARY KEY REFERENCES skylark.services ON DELETE CASCADE,
    metric_name text NOT NULL
        CHECK (metric_name IN ('CPU_UTILIZATION', 'MEMORY_UTILIZATION', 'NETWORK_IN', 'NETWORK_OUT')),
    metric_stat text NOT NULL DEFAULT 'MEAN' CHECK (metric_stat IN ('MEAN', 'MAX', 'MIN')),
    upper_threshold double precision NOT NULL CHECK (upper_threshold BETWEEN 0 AND 1e15),
    lower_threshold double precision NOT NULL CHECK (lower_threshold BETWEEN 0 AND 1e15),
    increase_delta integer NOT NULL DEFAULT 1 CHECK (increase_delta BETWEEN 1 AND 1000),
    decrease_delta integer NOT NULL DEFAULT 1 CHECK (decrease_delta BETWEEN 1 AND 1000),
    minimum_num_instances integer NOT NULL CHECK (minimum_num_instances BETWEEN 0 AND 1000),
    maximum_num_instances integer NOT NULL CHECK (maximum_num_instances BETWEEN 1 AND 1000),
    wait_period integer NOT NULL DEFAULT 60 CHECK (wait_period BETWEEN 1 AND 86400),
    CHECK (lower_threshold < upper_threshold),
    CHECK (minimum_num_instances <= maximum_num_instances),
    CHECK (metric_name NOT IN ('CPU_UTILIZATION', 'MEMORY_UTILIZATION') OR upper_threshold <= 1)
);
COMMENT ON TABLE skylark.autoscaling_settings IS 'Thresholds by which the count of a service is decided.';
COMMENT ON COLUMN skylark.autoscaling_settings.service_id IS 'Whose.';
COMMENT ON COLUMN skylark.autoscaling_settings.metric_name IS 'What is measured.';
COMMENT ON COLUMN skylark.autoscaling_settings.metric_stat IS 'How the samples of the window become one figure.';
COMMENT ON COLUMN skylark.autoscaling_settings.upper_threshold IS 'Above it the count rises. A fraction of the limit, or bytes per second.';
COMMENT ON COLUMN skylark.autoscaling_settings.lower_threshold IS 'Below it the count falls. A fraction of the limit, or bytes per second.';
COMMENT ON COLUMN skylark.autoscaling_settings.increase_delta IS 'Instances added at a time.';
COMMENT ON COLUMN skylark.autoscaling_settings.decrease_delta IS 'Instances taken away at a time.';
COMMENT ON COLUMN skylark.autoscaling_settings.minimum_num_instances IS 'Never fewer.';
COMMENT ON COLUMN skylark.autoscaling_settings.maximum_num_instances IS 'Never more.';
COMMENT ON COLUMN skylark.autoscaling_settings.wait_period IS 'Seconds between two actions; also the window of the metric.';

-- What a new or changed service row derives.
CREATE FUNCTION skylark.services_derive() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    NEW.domain_label := NEW.name || '-' || (SELECT n.name FROM skylark.namespaces n WHERE n.id = NEW.namespace_id);
    IF TG_OP = 'UPDATE'
       AND (NEW.image_name, NEW.image_tag, NEW.run_command, NEW.instance_size)
           IS DISTINCT FROM (OLD.image_name, OLD.image_tag, OLD.run_command, OLD.instance_size) THEN
        NEW.generation := OLD.generation + 1;
    ELSIF TG_OP = 'UPDATE' THEN
        NEW.generation := GREATEST(NEW.generation, OLD.generation);
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION skylark.services_derive IS 'Sets domain_label, and raises generation when the containers must be made anew.';
CREATE TRIGGER services_derive BEFORE INSERT OR UPDATE ON skylark.services
    FOR EACH ROW EXECUTE FUNCTION skylark.services_derive();

CREATE FUNCTION skylark.namespaces_renamed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    UPDATE skylark.services SET generation = generation + 1 WHERE namespace_id = NEW.id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.namespaces_renamed IS 'Takes a namespace''s new name into the domain names of its services, and so into their instances.';
CREATE TRIGGER namespaces_renamed AFTER UPDATE OF name ON skylark.namespaces
    FOR EACH ROW WHEN (OLD.name <> NEW.name) EXECUTE FUNCTION skylark.namespaces_renamed();

CREATE FUNCTION skylark.service_parts_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    UPDATE skylark.services s
    SET generation = s.generation + 1
    WHERE s.id IN (SELECT c.service_id FROM changed c);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.service_parts_changed IS 'Raises a service''s generation when its environment, ports, volumes or links change.';

-- A part may be moved from one service to another: both then want new containers.
CREATE FUNCTION skylark.service_parts_moved() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    UPDATE skylark.services s
    SET generation = s.generation + 1
    WHERE s.id IN (SELECT g.service_id FROM gone g UNION SELECT c.service_id FROM changed c);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.service_parts_moved IS 'As service_parts_changed, for an UPDATE: the service that lost a part changes as well.';

DO $$
DECLARE
    part text;
BEGIN
    FOREACH part IN ARRAY ARRAY['envvars', 'ports', 'volumes', 'links'] LOOP
        EXECUTE format('CREATE TRIGGER %1$s_inserted AFTER INSERT ON skylark.%1$I REFERENCING NEW TABLE AS changed
                        FOR EACH STATEMENT EXECUTE FUNCTION skylark.service_parts_changed()', part);
        EXECUTE format('CREATE TRIGGER %1$s_updated AFTER UPDATE ON skylark.%1$I REFERENCING OLD TABLE AS gone NEW TABLE AS changed
                        FOR EACH STATEMENT EXECUTE FUNCTION skylark.service_parts_moved()', part);
        EXECUTE format('CREATE TRIGGER %1$s_deleted AFTER DELETE ON skylark.%1$I REFERENCING OLD TABLE AS changed
                        FOR EACH STATEMENT EXECUTE FUNCTION skylark.service_parts_changed()', part);
    END LOOP;
END
$$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA skylark FROM PUBLIC;
GRANT SELECT ON skylark.instance_sizes, skylark.services, skylark.envvars, skylark.ports, skylark.volumes,
    skylark.links, skylark.autoscaling_settings TO skylark_api, skylark_deployer, skylark_dba;
GRANT INSERT ON skylark.services TO skylark_api;
GRANT UPDATE (image_name, image_tag, run_command, instance_size, scaling_mode, target_state,
    target_num_instances, custom_domain_name, updated_at, deleted_at) ON skylark.services TO skylark_api;
GRANT INSERT, UPDATE, DELETE ON skylark.envvars, skylark.ports, skylark.volumes, skylark.links,
    skylark.autoscaling_settings TO skylark_api;
GRANT DELETE ON skylark.services TO skylark_deployer;
