-- Who there is: the installation itself, namespaces, users, their rights and tokens.

CREATE TYPE skylark.access_right AS ENUM ('read', 'write', 'admin');

-- With the tables, since constraints use it.
CREATE FUNCTION skylark.is_host_name(name text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN length(name) <= 253
        AND name ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$';

CREATE FUNCTION skylark.are_host_names(names text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN COALESCE(array_ndims(names), 1) = 1
        AND (SELECT COALESCE(bool_and(n.name IS NOT NULL AND skylark.is_host_name(n.name)), true) FROM unnest(names) AS n (name));

CREATE TABLE skylark.installation (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    base_domain text NOT NULL DEFAULT 'skylark.localhost' CHECK (skylark.is_host_name(base_domain)),
    region_name text NOT NULL DEFAULT 'local' CHECK (region_name ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$'),
    region_iaas text NOT NULL DEFAULT 'docker' CHECK (region_iaas ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$'),
    engine_id text,
    engine_recorded_at timestamptz,
    service_port_first integer NOT NULL DEFAULT 20000 CHECK (service_port_first BETWEEN 1 AND 65535),
    service_port_last integer NOT NULL DEFAULT 29999 CHECK (service_port_last BETWEEN 1 AND 65535),
    front_address inet,
    host_names text[] NOT NULL DEFAULT '{localhost}' CHECK (skylark.are_host_names(host_names)),
    CHECK ((engine_id IS NULL) = (engine_recorded_at IS NULL)),
    CHECK (service_port_first <= service_port_last)
);
INSERT INTO skylark.installation DEFAULT VALUES;

CREATE TABLE skylark.namespaces (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$'),
    kind text NOT NULL CHECK (kind IN ('user', 'organisation')),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (id, kind)
);

CREATE TABLE skylark.users (
    id bigint PRIMARY KEY,
    kind text NOT NULL GENERATED ALWAYS AS ('user') STORED,
    password_hash text NOT NULL CHECK (password_hash ~ '^\$argon2id\$'),
    password_changed_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz,
    FOREIGN KEY (id, kind) REFERENCES skylark.namespaces (id, kind) ON DELETE CASCADE
);

CREATE TABLE skylark.memberships (
    user_id bigint NOT NULL REFERENCES skylark.users ON DELETE CASCADE,
    namespace_id bigint NOT NULL REFERENCES skylark.namespaces ON DELETE CASCADE,
    access skylark.access_right NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, namespace_id)
);
CREATE INDEX memberships_namespace_id_idx ON skylark.memberships (namespace_id);

CREATE TABLE skylark.api_tokens (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES skylark.users ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    token_prefix text NOT NULL CHECK (length(token_prefix) = 8),
    scope skylark.access_right NOT NULL DEFAULT 'admin',
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 200),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz CHECK (expires_at > created_at),
    idle_limit interval CHECK (idle_limit > interval '0'),
    by_login boolean NOT NULL DEFAULT false,
    revoked_at timestamptz,
    last_used_at timestamptz
);
CREATE INDEX api_tokens_user_id_idx ON skylark.api_tokens (user_id);

CREATE TABLE skylark.login_failures (
    subject text PRIMARY KEY CHECK (length(subject) <= 400),
    failures integer NOT NULL CHECK (failures >= 0),
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL
);
CREATE INDEX login_failures_last_at_idx ON skylark.login_failures (last_at);

CREATE TABLE skylark.login_totals (
    part integer PRIMARY KEY,
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    first_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO skylark.login_totals (part) SELECT generate_series(1, 8);

CREATE TABLE skylark.login_addresses (
    user_id bigint NOT NULL REFERENCES skylark.users ON DELETE CASCADE,
    address text NOT NULL CHECK (length(address) <= 64),
    last_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, address)
);
CREATE INDEX login_addresses_last_at_idx ON skylark.login_addresses (last_at);
