-- What users want: services and everything a service is made of. Written by the API, and by a DBA.

CREATE TABLE skylark.instance_sizes (
    name text PRIMARY KEY CHECK (name IN ('XXS', 'XS', 'S', 'M', 'L', 'XL')),
    cpu_millis integer NOT NULL CHECK (cpu_millis BETWEEN 10 AND 1024000),
    memory_bytes bigint NOT NULL CHECK (memory_bytes BETWEEN 16 * 1024 * 1024 AND 17592186044416), -- 16 MiB to 16 TiB
    pids_limit integer NOT NULL DEFAULT 512 CHECK (pids_limit BETWEEN 16 AND 4194304)
);
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
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    last_autoscaled_at timestamptz,
    last_redeployed_at timestamptz,
    most_instances integer NOT NULL DEFAULT 0,
    generation bigint NOT NULL DEFAULT 1 CHECK (generation > 0),
    revision bigint NOT NULL DEFAULT 1 CHECK (revision > 0),
    deleted_at timestamptz,
    UNIQUE (namespace_id, id)
);
CREATE UNIQUE INDEX services_namespace_id_name_key ON skylark.services (namespace_id, name) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX services_domain_label_key ON skylark.services (domain_label) WHERE deleted_at IS NULL;
CREATE INDEX services_namespace_id_seq_idx ON skylark.services (namespace_id, seq) WHERE deleted_at IS NULL;

CREATE TABLE skylark.envvars (
    service_id uuid NOT NULL REFERENCES skylark.services ON DELETE CASCADE,
    name text NOT NULL CHECK (length(name) <= 256 AND name ~ '^[A-Za-z_][A-Za-z0-9_.-]*$' AND name <> '__DEFAULT_DOMAIN_NAME__'),
    value text NOT NULL CHECK (octet_length(value) <= 32768),
    PRIMARY KEY (service_id, name)
);

CREATE TABLE skylark.ports (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service_id uuid NOT NULL REFERENCES skylark.services ON DELETE CASCADE,
    container_port integer NOT NULL CHECK (container_port BETWEEN 1 AND 65535),
    protocol text NOT NULL DEFAULT 'tcp' CHECK (protocol IN ('tcp', 'udp')),
    endpoint_type text NOT NULL DEFAULT 'tcp-endpoint'
        CHECK (endpoint_type IN ('tcp-endpoint', 'http-endpoint', 'direct-endpoint', 'internal-endpoint')),
    service_port integer CHECK (service_port BETWEEN 1 AND 65535),
    UNIQUE (service_id, container_port, protocol, endpoint_type),
    CHECK (endpoint_type <> 'http-endpoint' OR protocol = 'tcp'),
    CHECK ((endpoint_type = 'tcp-endpoint') = (service_port IS NOT NULL))
);
CREATE UNIQUE INDEX ports_service_port_key ON skylark.ports (service_port, protocol);

CREATE SEQUENCE skylark.service_port_turn CYCLE;

CREATE TABLE skylark.custom_domains (
    name text PRIMARY KEY CHECK (skylark.is_host_name(name) AND name LIKE '%.%' AND name !~ '\.[0-9]+$'),
    service_id uuid NOT NULL REFERENCES skylark.services ON DELETE CASCADE,
    position integer NOT NULL
);
CREATE INDEX custom_domains_service_id_idx ON skylark.custom_domains (service_id);

CREATE TABLE skylark.volume_types (
    name text PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$'),
    driver text NOT NULL DEFAULT 'local' CHECK (driver ~ '^[A-Za-z0-9][A-Za-z0-9_./:-]{0,199}$'),
    options jsonb NOT NULL DEFAULT '{}'
        CHECK (jsonb_typeof(options) = 'object' AND NOT jsonb_path_exists(options, 'strict $.* ? (@.type() != "string")')),
    size_enforced boolean NOT NULL GENERATED ALWAYS AS (options::text LIKE '%{size_gb}%') STORED
);
INSERT INTO skylark.volume_types (name) VALUES ('EBS');

CREATE TABLE skylark.volumes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service_id uuid NOT NULL REFERENCES skylark.services ON DELETE CASCADE,
    app_volume_dir text NOT NULL CHECK (length(app_volume_dir) <= 1024
        AND app_volume_dir ~ '^(/[^/[:cntrl:]:,]+)+$'
        AND app_volume_dir !~ '/\.{1,2}(/|$)'
        AND app_volume_dir !~ '^/(proc|sys|dev)(/|$)'),
    volume_type text NOT NULL DEFAULT 'EBS' CHECK (volume_type ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$')
        REFERENCES skylark.volume_types,
    size_gb integer NOT NULL CHECK (size_gb BETWEEN 1 AND 65536),
    UNIQUE (service_id, app_volume_dir)
);

CREATE TABLE skylark.links (
    namespace_id bigint NOT NULL,
    service_id uuid NOT NULL,
    target_service_id uuid NOT NULL CHECK (target_service_id <> service_id),
    alias text NOT NULL CHECK (alias ~ '^[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$'),
    variable text NOT NULL GENERATED ALWAYS AS (upper(translate(alias, '-', '_'))) STORED,
    PRIMARY KEY (service_id, target_service_id),
    UNIQUE (service_id, variable) DEFERRABLE INITIALLY DEFERRED, -- so that two links can swap their aliases
    FOREIGN KEY (namespace_id, service_id) REFERENCES skylark.services (namespace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (namespace_id, target_service_id) REFERENCES skylark.services (namespace_id, id) ON DELETE CASCADE
);
CREATE INDEX links_target_service_id_idx ON skylark.links (target_service_id);

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
    scale_up_wait_period integer CHECK (scale_up_wait_period BETWEEN 1 AND 86400),
    scale_down_wait_period integer CHECK (scale_down_wait_period BETWEEN 1 AND 86400),
    stabilization_window integer NOT NULL DEFAULT 0 CHECK (stabilization_window BETWEEN 0 AND 86400),
    dry_run boolean NOT NULL DEFAULT false,
    CHECK (lower_threshold < upper_threshold),
    CHECK (minimum_num_instances <= maximum_num_instances),
    CHECK (metric_name NOT IN ('CPU_UTILIZATION', 'MEMORY_UTILIZATION') OR upper_threshold <= 1)
);
