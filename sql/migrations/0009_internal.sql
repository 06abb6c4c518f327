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
REVOKE EXECUTE ON FUNCTION skylark.is_apart FROM PUBLIC;
GRANT EXECUTE ON FUNCTION skylark.is_apart TO skylark_deployer, skylark_dba;

COMMENT ON COLUMN skylark.instances.address IS 'Its address in the network that it was made in, that of its namespace or of its service, while it runs.';

-- What was made before is in the network of its namespace: new instances take its place.
UPDATE skylark.services s SET generation = generation + 1
WHERE s.deleted_at IS NULL
  AND EXISTS (SELECT FROM skylark.ports p WHERE p.service_id = s.id AND p.endpoint_type = 'internal-endpoint');

-- An internal-endpoint is reached by name: which address that is depends on who asks.
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
                   'ipaddress', host(CASE WHEN o.endpoint_type = 'direct-endpoint' THEN o.host_address
                                          WHEN o.endpoint_type <> 'internal-endpoint' THEN g.front_address END)) ORDER BY o.position)
               FROM skylark.instance_ports o
               LEFT JOIN skylark.ports p ON (p.service_id, p.container_port, p.protocol, p.endpoint_type)
                                          = (i.service_id, o.container_port, o.protocol, o.endpoint_type)
               WHERE o.instance_id = i.id), '[]'::json),
           'resource_uri', '/v1/services/' || n.name || '/' || s.name || '/instances/' || i.id || '/') AS document
FROM skylark.instances i
JOIN skylark.services s ON s.id = i.service_id
JOIN skylark.namespaces n ON n.id = s.namespace_id
JOIN skylark.installation g ON g.only_row;
