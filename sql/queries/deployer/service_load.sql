-- hot
-- All that making the service $1's instances needs, as one JSON object.
SELECT json_build_object(
    'namespace', n.name, 'name', s.name, 'image_name', s.image_name, 'image_tag', s.image_tag,
    'run_command', s.run_command, 'size', z.name, 'cpu_millis', z.cpu_millis, 'memory_bytes', z.memory_bytes,
    'pids_limit', z.pids_limit, 'generation', s.generation,
    'wanted', CASE WHEN s.target_state = 'STARTED' AND s.deleted_at IS NULL THEN s.target_num_instances ELSE 0 END,
    'deleted', s.deleted_at IS NOT NULL,
    'image_id', CASE WHEN st.image_generation = s.generation THEN st.image_id END,
    'image_note', CASE WHEN st.image_generation = s.generation THEN st.image_note END,
    'environment', (
        SELECT COALESCE(json_agg(v.name || '=' || v.value ORDER BY v.name), '[]'::json)
        FROM (SELECT e.name, e.value FROM skylark.envvars e WHERE e.service_id = s.id
              UNION ALL
              SELECT '__DEFAULT_DOMAIN_NAME__', s.domain_label || '.' || g.base_domain
              WHERE EXISTS (SELECT FROM skylark.ports p WHERE p.service_id = s.id)) v),
    'volumes', (
        SELECT COALESCE(json_agg(json_build_object('id', v.id, 'path', v.app_volume_dir) ORDER BY v.id), '[]'::json)
        FROM skylark.volumes v WHERE v.service_id = s.id))::text
FROM skylark.services s
JOIN skylark.namespaces n ON n.id = s.namespace_id
JOIN skylark.instance_sizes z ON z.name = s.instance_size
JOIN skylark.installation g ON g.only_row
JOIN skylark.service_status st ON st.service_id = s.id
WHERE s.id = $1::uuid
