-- All that a front serves at one moment: the moment, and a JSON object of
--   base_domain
--   endpoints: {service, owner, type (http or stream), port, protocol, service_port, name, custom, servers}, servers as address:port
--   draining: {id, peers} of instances that get no more requests and were not told to stop yet
-- columns: snapshot, routes
WITH reached AS (
         SELECT i.id, i.service_id, i.slot, i.created_at, i.unroute_requested_at IS NOT NULL AS draining,
                o.container_port, o.protocol, o.endpoint_type,
                row_number() OVER (PARTITION BY i.id, o.endpoint_type ORDER BY o.position) = 1 AS is_first,
                CASE WHEN family(i.address) = 6 THEN '[' || host(i.address) || ']' ELSE host(i.address) END
                    || ':' || o.container_port AS peer
         FROM skylark.instances i
         JOIN skylark.instance_ports o ON o.instance_id = i.id AND o.endpoint_type IN ('http-endpoint', 'tcp-endpoint')
         WHERE i.state = 'running' AND i.ready_at IS NOT NULL AND i.stop_requested_at IS NULL AND i.address IS NOT NULL),
     -- An instance serves by the ports that it was made with: during an update that changes the port of the first
     -- http-endpoint (0 here, whichever port it has), old ones go on at the old one.
     servers AS (
         SELECT r.service_id, r.endpoint_type, r.protocol, k.port, json_agg(r.peer ORDER BY r.slot, r.created_at) AS peers
         FROM reached r
         CROSS JOIN LATERAL (SELECT r.container_port AS port
                             UNION ALL SELECT 0 WHERE r.is_first AND r.endpoint_type = 'http-endpoint') k
         WHERE NOT r.draining
         GROUP BY r.service_id, r.endpoint_type, r.protocol, k.port),
     endpoint AS (
         SELECT p.id, p.service_id, p.container_port, p.protocol, p.endpoint_type, p.service_port, s.domain_label,
                n.name || '/' || s.name AS owner,
                row_number() OVER (PARTITION BY p.service_id, p.endpoint_type ORDER BY p.id) = 1 AS is_first
         FROM skylark.ports p
         JOIN skylark.services s ON s.id = p.service_id AND s.deleted_at IS NULL
         JOIN skylark.namespaces n ON n.id = s.namespace_id
         WHERE p.endpoint_type IN ('http-endpoint', 'tcp-endpoint')),
     -- Names that have become the operator's since they were given lead nowhere.
     domains AS (
         SELECT c.service_id, json_agg(c.name ORDER BY c.position) AS names
         FROM skylark.custom_domains c
         JOIN skylark.installation g ON c.name <> ALL (g.host_names) AND right('.' || c.name, length(g.base_domain) + 1) <> '.' || g.base_domain
         GROUP BY c.service_id)
SELECT pg_current_snapshot() AS snapshot, json_build_object(
    'base_domain', g.base_domain,
    'endpoints', (
        SELECT COALESCE(json_agg(json_build_object(
            'service', e.service_id, 'owner', e.owner, 'port', e.container_port, 'protocol', e.protocol,
            'type', CASE e.endpoint_type WHEN 'http-endpoint' THEN 'http' ELSE 'stream' END,
            'service_port', e.service_port,
            'name', CASE WHEN e.is_first THEN '' ELSE e.container_port || '.' END || e.domain_label || '.' || g.base_domain,
            'custom', CASE WHEN e.is_first THEN COALESCE(d.names, '[]'::json) ELSE '[]'::json END,
            'servers', COALESCE(r.peers, '[]'::json)) ORDER BY e.service_id, e.id), '[]'::json)
        FROM endpoint e
        LEFT JOIN servers r ON r.service_id = e.service_id AND r.endpoint_type = e.endpoint_type AND r.protocol = e.protocol
            AND r.port = CASE WHEN e.endpoint_type = 'http-endpoint' AND e.is_first THEN 0 ELSE e.container_port END
        LEFT JOIN domains d ON d.service_id = e.service_id),
    'draining', (
        SELECT COALESCE(json_agg(json_build_object('id', d.id, 'peers', d.peers) ORDER BY d.id), '[]'::json)
        FROM (SELECT r.id, json_agg(r.peer) AS peers FROM reached r WHERE r.draining GROUP BY r.id) d))::text AS routes
FROM skylark.installation g
