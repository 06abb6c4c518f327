-- How much each namespace may have.

CREATE TABLE skylark.quotas (
    namespace_id bigint REFERENCES skylark.namespaces ON DELETE CASCADE,
    name text NOT NULL CHECK (name IN ('services', 'instances', 'cpu_millis', 'memory_mib', 'public_ports', 'volumes', 'volume_gib',
                                       'networks', 'domains', 'tokens')),
    maximum bigint CHECK (maximum >= 0),
    UNIQUE NULLS NOT DISTINCT (namespace_id, name)
);
-- Of those who have no row of their own. An instance of size XS has 250 thousandths of a CPU and 256 MiB; the engine's default
-- address pools hold some 30 networks, the installation's range 10,000 public ports.
INSERT INTO skylark.quotas (name, maximum)
VALUES ('services', 100), ('instances', 200), ('cpu_millis', 64000), ('memory_mib', 65536), ('public_ports', 100), ('volumes', 100),
       ('volume_gib', 1024), ('networks', 24), ('domains', 100), ('tokens', 100);
