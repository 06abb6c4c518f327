-- hot
-- All that making the service $1's instances needs, as one JSON object.
-- parameters: service_id
-- columns: spec
SELECT json_build_object(
    'namespace', n.name, 'name', s.name, 'image_name', s.image_name, 'image_tag', s.image_tag,
    'run_command', s.run_command, 'size', z.name, 'cpu_millis', z.cpu_millis, 'memory_bytes', z.memory_bytes,
    'pids_limit', z.pids_limit, 'generation', s.generation,
    'wanted', CASE WHEN s.target_state = 'STARTED' AND s.deleted_at IS NULL THEN s.target_num_instances ELSE 0 END,
    'deleted', s.deleted_at IS NOT NULL,
    'image_id', CASE WHEN st.image_generation = s.generation THEN st.image_id END,
    'image_note', CASE WHEN st.image_generation = s.generation THEN st.image_note END,
    -- Of the namespace, or its own; as long as a network interface's name may be.
    'namespace_network', 'sky' || left(md5(g.id || '/' || n.id), 12),
    'network', 'sky' || left(md5(g.id || '/' || CASE WHEN x.apart THEN s.id::text ELSE n.id::text END), 12),
    'apart', x.apart,
    -- Those of links, which only the two ends are in.
    'link_networks', (
        SELECT COALESCE(json_agg(json_build_object(
                   'network', 'sky' || left(md5(g.id || '/' || l.service_id || '/' || l.target_service_id), 12),
                   'source', l.service_id, 'source_name', f.name,
                   'target', l.target_service_id, 'target_name', t.name, 'alias', l.alias)
                   ORDER BY l.service_id, l.target_service_id), '[]'::json)
        FROM (SELECT o.service_id, o.target_service_id, o.alias FROM skylark.links o WHERE o.service_id = s.id
              UNION ALL
              SELECT i.service_id, i.target_service_id, i.alias FROM skylark.links i WHERE i.target_service_id = s.id) l
        JOIN skylark.services f ON f.id = l.service_id AND f.deleted_at IS NULL
        JOIN skylark.services t ON t.id = l.target_service_id
        WHERE skylark.is_apart(f.id) OR skylark.is_apart(t.id)),
    'environment', (
        SELECT COALESCE(json_agg(v.name || '=' || v.value ORDER BY v.name), '[]'::json)
        FROM (SELECT DISTINCT ON (e.name) e.name, e.value
              FROM (SELECT '__DEFAULT_DOMAIN_NAME__' AS name, s.domain_label || '.' || g.base_domain AS value, 1 AS rank
                    WHERE EXISTS (SELECT FROM skylark.ports p WHERE p.service_id = s.id)
                    UNION ALL
                    SELECT e.name, e.value, 2 FROM skylark.envvars e WHERE e.service_id = s.id
                    UNION ALL
                    -- As Docker's links did: {ALIAS}_PORT of the lowest port, and five about each.
                    SELECT l.prefix || x.name, x.value, 3
                    FROM (SELECT upper(translate(l.alias, '-', '_')) || '_PORT' AS prefix, l.alias, p.container_port AS port,
                                 p.protocol,
                                 row_number() OVER (PARTITION BY l.alias ORDER BY p.container_port, p.protocol) = 1 AS lowest
                          FROM skylark.links l
                          CROSS JOIN LATERAL (SELECT DISTINCT o.container_port, o.protocol FROM skylark.ports o
                                              WHERE o.service_id = l.target_service_id) p
                          WHERE l.service_id = s.id) l
                    CROSS JOIN LATERAL (
                        VALUES ('', l.protocol || '://' || l.alias || ':' || l.port, l.lowest),
                               ('_' || l.port || '_' || upper(l.protocol), l.protocol || '://' || l.alias || ':' || l.port, true),
                               ('_' || l.port || '_' || upper(l.protocol) || '_ADDR', l.alias, true),
                               ('_' || l.port || '_' || upper(l.protocol) || '_PORT', l.port::text, true),
                               ('_' || l.port || '_' || upper(l.protocol) || '_PROTO', l.protocol, true)) AS x (name, value, there)
                    WHERE x.there) e
              ORDER BY e.name, e.rank) v),
    'links', (
        SELECT COALESCE(json_agg(t.name || ':' || l.alias ORDER BY l.alias), '[]'::json)
        FROM skylark.links l JOIN skylark.services t ON t.id = l.target_service_id
        WHERE l.service_id = s.id),
    'ports', (
        SELECT COALESCE(json_agg(json_build_object('container_port', p.container_port, 'protocol', p.protocol,
                                                   'endpoint_type', p.endpoint_type) ORDER BY p.id), '[]'::json)
        FROM skylark.ports p WHERE p.service_id = s.id),
    'volumes', (
        SELECT COALESCE(json_agg(json_build_object('id', COALESCE(k.number, v.id), 'path', v.app_volume_dir, 'size_gb', v.size_gb,
                                                   'driver', COALESCE(k.driver, t.driver), 'options', COALESCE(k.options, t.options))
                                 ORDER BY v.id), '[]'::json)
        FROM skylark.volumes v
        JOIN skylark.volume_types t ON t.name = v.volume_type
        LEFT JOIN skylark.kept_volumes k ON k.service_id = v.service_id AND k.app_volume_dir = v.app_volume_dir
        WHERE v.service_id = s.id),
    'volumes_noted', NOT EXISTS (SELECT FROM skylark.volumes v
                                 WHERE v.service_id = s.id
                                   AND NOT EXISTS (SELECT FROM skylark.kept_volumes k
                                                   WHERE k.service_id = v.service_id AND k.app_volume_dir = v.app_volume_dir)),
    'front_fault', (SELECT f.fault FROM skylark.front_state f),
    'endpoint_fault', (SELECT string_agg('On the front ' || f.name || ', ' || (f.endpoint_faults ->> s.id::text) || '.', ' ' ORDER BY f.name)
                       FROM skylark.live_fronts f WHERE f.endpoint_faults ? s.id::text),
    'settled', st.observed_generation = s.generation,
    'alone', NOT EXISTS (SELECT FROM skylark.services o
                         WHERE o.namespace_id = s.namespace_id AND o.id <> s.id AND o.deleted_at IS NULL))::text AS spec
FROM skylark.services s
JOIN skylark.namespaces n ON n.id = s.namespace_id
JOIN skylark.instance_sizes z ON z.name = s.instance_size
JOIN skylark.installation g ON g.only_row
JOIN skylark.service_status st ON st.service_id = s.id
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM skylark.ports p
                                   WHERE p.service_id = s.id AND p.endpoint_type = 'internal-endpoint') AS apart) x
WHERE s.id = $1::uuid
