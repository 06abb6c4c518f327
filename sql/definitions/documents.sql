-- The API's documents, built where the rows are.
-- after: status endpoints

-- Old clients read these as strings, and some of them search in it: blanks are as the API writes all JSON.
CREATE FUNCTION skylark.object_text(p_object json) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN COALESCE((SELECT '{' || string_agg(to_json(m.key)::text || ': ' || m.value::text, ', ' ORDER BY m.position) || '}'
                     FROM json_each(p_object) WITH ORDINALITY AS m (key, value, position)), '{}');
COMMENT ON FUNCTION skylark.object_text IS 'An object of texts and numbers as a string that holds its JSON; {} for null.';

CREATE FUNCTION skylark.autoscaling_config(a skylark.autoscaling_settings) RETURNS json
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT json_object_agg(k.name, k.value ORDER BY k.position)
            FROM (VALUES (1, 'metric_name', to_json(a.metric_name)), (2, 'metric_stat', to_json(a.metric_stat)),
                         (3, 'upper_threshold', to_json(a.upper_threshold)), (4, 'lower_threshold', to_json(a.lower_threshold)),
                         (5, 'decrease_delta', to_json(a.decrease_delta)), (6, 'increase_delta', to_json(a.increase_delta)),
                         (7, 'minimum_num_instances', to_json(a.minimum_num_instances)),
                         (8, 'maximum_num_instances', to_json(a.maximum_num_instances)),
                         (9, 'wait_period', to_json(a.wait_period)),
                         (10, 'scale_up_wait_period', to_json(a.scale_up_wait_period)),
                         (11, 'scale_down_wait_period', to_json(a.scale_down_wait_period)),
                         (12, 'stabilization_window', to_json(NULLIF(a.stabilization_window, 0))),
                         (13, 'dry_run', to_json(NULLIF(a.dry_run, false)))) AS k (position, name, value)
            WHERE k.value IS NOT NULL);
COMMENT ON FUNCTION skylark.autoscaling_config IS 'autoscaling_config as the API writes it: the seed''s keys, and of the later ones those that are set.';

-- What both documents show of a port. A client reads service_port as a number and ipaddress as a text, so neither is ever null.
CREATE FUNCTION skylark.port_document(p_container_port integer, p_protocol text, p_endpoint_type text, p_service_port integer,
                                      p_host_port integer, p_domain text, p_address inet) RETURNS json
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN json_build_object(
        'container_port', p_container_port, 'protocol', p_protocol, 'endpoint_type', p_endpoint_type,
        'service_port', COALESCE(CASE p_endpoint_type WHEN 'http-endpoint' THEN 80
                                                      WHEN 'internal-endpoint' THEN p_container_port
                                                      WHEN 'direct-endpoint' THEN p_host_port
                                                      ELSE p_service_port END, 0),
        'default_domain', p_domain,
        'ipaddress', COALESCE(host(p_address), ''));
COMMENT ON FUNCTION skylark.port_document IS 'A port as the API writes it. service_port: 80 of an http-endpoint, the public port of a tcp-endpoint, the node''s port of a direct-endpoint, the container port of an internal-endpoint; 0 while there is none. ipaddress: empty while there is none.';

-- An internal-endpoint is reached by name: which address that is depends on who asks.
CREATE VIEW skylark.instance_documents AS
SELECT i.service_id, i.id AS instance_id, i.slot, i.created_at, i.started_at, i.state, l.instance_ports,
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
           'instance_ports', l.instance_ports,
           'resource_uri', '/v1/services/' || n.name || '/' || s.name || '/instances/' || i.id || '/') AS document
FROM skylark.instances i
JOIN skylark.services s ON s.id = i.service_id
JOIN skylark.namespaces n ON n.id = s.namespace_id
JOIN skylark.installation g ON g.only_row
CROSS JOIN LATERAL (
    SELECT COALESCE(json_agg(skylark.port_document(
               o.container_port, o.protocol, o.endpoint_type, p.service_port, o.host_port,
               skylark.endpoint_domain(p.service_id, p.id, o.container_port, o.endpoint_type, s.name, s.domain_label, g.base_domain),
               CASE WHEN o.endpoint_type = 'direct-endpoint' THEN o.host_address
                    WHEN o.endpoint_type <> 'internal-endpoint' THEN g.front_address END) ORDER BY o.position),
               '[]'::json) AS instance_ports
    FROM skylark.instance_ports o
    LEFT JOIN skylark.ports p ON (p.service_id, p.container_port, p.protocol, p.endpoint_type)
                               = (i.service_id, o.container_port, o.protocol, o.endpoint_type)
    WHERE o.instance_id = i.id) l;
COMMENT ON VIEW skylark.instance_documents IS 'The API''s document of each instance.';
COMMENT ON COLUMN skylark.instance_documents.service_id IS 'Service.';
COMMENT ON COLUMN skylark.instance_documents.instance_id IS 'Instance.';
COMMENT ON COLUMN skylark.instance_documents.slot IS 'The n of its name.';
COMMENT ON COLUMN skylark.instance_documents.created_at IS 'When it was made.';
COMMENT ON COLUMN skylark.instance_documents.started_at IS 'When it started; null: it has not yet.';
COMMENT ON COLUMN skylark.instance_documents.state IS 'As in instances.';
COMMENT ON COLUMN skylark.instance_documents.instance_ports IS 'The ports that it was made with, as its document and the service''s show them.';
COMMENT ON COLUMN skylark.instance_documents.document IS 'The document.';

CREATE VIEW skylark.service_documents AS
SELECT s.namespace_id, s.seq, s.id AS service_id, s.name AS service_name, s.target_state,
       json_build_object(
           'unique_name', s.id,
           'service_name', s.name,
           'app_name', s.name,
           'application', NULL,
           'namespace', n.name,
           'updated_at', skylark.iso_time(s.updated_at),
           'allocation_group', NULL,
           'target_state', s.target_state,
           'instance_envvars', skylark.object_text((
               SELECT json_object_agg(v.name, v.value ORDER BY v.name)
               FROM (SELECT e.name, e.value FROM skylark.envvars e WHERE e.service_id = s.id
                     UNION ALL
                     SELECT '__DEFAULT_DOMAIN_NAME__', s.domain_label || '.' || g.base_domain
                     WHERE EXISTS (SELECT FROM skylark.ports p WHERE p.service_id = s.id)) v)),
           'started_at', skylark.iso_time(o.started_at),
           'uuid', s.id,
           'linked_to_apps', skylark.object_text((
               SELECT json_object_agg(t.name, l.alias ORDER BY t.name)
               FROM skylark.links l JOIN skylark.services t ON t.id = l.target_service_id
               WHERE l.service_id = s.id)),
           'stopped_at', skylark.iso_time(o.stopped_at),
           'is_deploying', o.is_deploying,
           'created_by', s.created_by,
           'autoscaling_config', skylark.object_text((
               SELECT skylark.autoscaling_config(a)
               FROM skylark.autoscaling_settings a WHERE a.service_id = s.id)),
           'instance_ports', COALESCE((
               SELECT json_agg(skylark.port_document(
                   p.container_port, p.protocol, p.endpoint_type, p.service_port, first.host_port,
                   skylark.endpoint_domain(p.service_id, p.id, p.container_port, p.endpoint_type, s.name, s.domain_label, g.base_domain),
                   CASE WHEN p.endpoint_type = 'direct-endpoint' THEN first.host_address
                        WHEN p.endpoint_type <> 'internal-endpoint' THEN g.front_address END) ORDER BY p.id)
               FROM skylark.ports p
               LEFT JOIN LATERAL (
                   SELECT o.host_port, o.host_address
                   FROM skylark.instances i
                   JOIN skylark.instance_ports o ON o.instance_id = i.id
                   WHERE p.endpoint_type = 'direct-endpoint' AND i.service_id = s.id AND i.state = 'running'
                     AND (o.container_port, o.protocol, o.endpoint_type) = (p.container_port, p.protocol, p.endpoint_type)
                   ORDER BY i.slot, i.created_at
                   LIMIT 1) first ON true
               WHERE p.service_id = s.id), '[]'::json),
           'linked_to', skylark.object_text((
               SELECT json_object_agg(l.target_service_id, l.alias ORDER BY l.target_service_id)
               FROM skylark.links l WHERE l.service_id = s.id)),
           'run_command', s.run_command,
           'custom_domain_name', COALESCE((
               SELECT string_agg(c.name, ',' ORDER BY c.position) FROM skylark.custom_domains c WHERE c.service_id = s.id), ''),
           'deployment_preference', '{}',
           'scaling_mode', s.scaling_mode,
           'image_name', s.image_name,
           'image_tag', s.image_tag,
           'instance_size', s.instance_size,
           'linked_from_apps', skylark.object_text((
               SELECT json_object_agg(f.name, l.alias ORDER BY f.name)
               FROM skylark.links l JOIN skylark.services f ON f.id = l.service_id AND f.deleted_at IS NULL
               WHERE l.target_service_id = s.id)),
           'target_num_instances', s.target_num_instances,
           'last_autoscaled_at', skylark.iso_time(s.last_autoscaled_at),
           'last_redeployed_at', skylark.iso_time(s.last_redeployed_at),
           'linked_services', '[]'::json,
           'linked_to_services', '[]'::json,
           'exec_endpoint', '',
           'current_num_instances', o.current,
           'linked_from', skylark.object_text((
               SELECT json_object_agg(l.service_id, l.alias ORDER BY l.service_id)
               FROM skylark.links l JOIN skylark.services f ON f.id = l.service_id AND f.deleted_at IS NULL
               WHERE l.target_service_id = s.id)),
           'staged_num_instances', o.staged,
           'started_num_instances', o.started,
           'instances', COALESCE((
               SELECT json_agg(json_build_object(
                   'instance_name', s.name || '.' || i.slot,
                   'started_at', skylark.iso_time(i.started_at),
                   'uuid', i.id,
                   'instance_ports', d.instance_ports) ORDER BY i.slot, i.created_at)
               FROM skylark.instances i
               JOIN skylark.instance_documents d ON d.instance_id = i.id
               WHERE i.service_id = s.id AND i.state IN ('created', 'running') AND i.started_at IS NOT NULL), '[]'::json),
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
COMMENT ON VIEW skylark.service_documents IS 'The API''s document of each service that is not deleted.';
COMMENT ON COLUMN skylark.service_documents.namespace_id IS 'Whose it is.';
COMMENT ON COLUMN skylark.service_documents.seq IS 'Order of creation.';
COMMENT ON COLUMN skylark.service_documents.service_id IS 'Service.';
COMMENT ON COLUMN skylark.service_documents.service_name IS 'Its name.';
COMMENT ON COLUMN skylark.service_documents.target_state IS 'STARTED or STOPPED.';
COMMENT ON COLUMN skylark.service_documents.document IS 'The document.';
