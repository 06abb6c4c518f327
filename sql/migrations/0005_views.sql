-- What is read: the API's documents, built where the rows are, and the views that DBAs want.

CREATE FUNCTION skylark.iso_time(t timestamptz) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
COMMENT ON FUNCTION skylark.iso_time IS 'A time as the API writes it: 2015-04-14T09:46:39.457Z.';

-- Whoever shows a count vouches for it. When the engine does not answer, or nobody has looked for a
-- while, the counts are only the last ones observed, and this says so.
CREATE VIEW skylark.engine_trouble AS
SELECT CASE
           WHEN e.engine_id IS NULL THEN 'No deployer has reported from a container engine yet.'
           WHEN e.observed_at < now() - interval '30 seconds'
               THEN 'No deployer has looked at the container engine since ' || skylark.iso_time(e.observed_at)
                    || '; counts and instances are those of that time.'
           WHEN e.state = 'unreachable'
               THEN 'The container engine has not answered since ' || skylark.iso_time(e.changed_at)
                    || ' (' || e.message || '); counts and instances are the last ones observed.'
       END AS trouble
FROM skylark.installation i
LEFT JOIN skylark.engines e ON e.engine_id = i.engine_id
WHERE i.only_row;
COMMENT ON VIEW skylark.engine_trouble IS 'One row: why observed counts can''t be vouched for now; null when they can.';
COMMENT ON COLUMN skylark.engine_trouble.trouble IS 'In words; null when all is well.';

CREATE VIEW skylark.service_states AS
SELECT s.id AS service_id, c.wanted, c.current, c.staged, c.started, d.is_deploying, x.trouble,
       CASE
           WHEN x.trouble IS NOT NULL THEN 'Error'
           WHEN st.condition = 'failing' AND st.observed_revision = q.revision THEN 'Error'
           WHEN d.is_deploying THEN 'Deploying'
           WHEN c.wanted = 0 THEN 'Stopped'
           ELSE 'Running'
       END AS current_status,
       COALESCE(x.trouble,
                CASE WHEN st.observed_revision = q.revision THEN NULLIF(st.message, '') END,
                CASE
                    WHEN d.is_deploying AND c.wanted = 0 THEN 'Stopping: ' || c.current || ' left.'
                    WHEN d.is_deploying THEN c.started || ' of ' || c.wanted || ' instances run.'
                    ELSE ''
                END) AS status_message,
       st.started_at, st.stopped_at
FROM skylark.services s
LEFT JOIN skylark.reconcile_queue q ON q.service_id = s.id
LEFT JOIN skylark.service_status st ON st.service_id = s.id
CROSS JOIN skylark.engine_trouble x
CROSS JOIN LATERAL (
    SELECT CASE WHEN s.target_state = 'STARTED' AND s.deleted_at IS NULL THEN s.target_num_instances ELSE 0 END AS wanted,
           count(*) AS current,
           count(*) FILTER (WHERE i.state = 'created') AS staged,
           count(*) FILTER (WHERE i.state = 'running') AS started,
           count(*) FILTER (WHERE i.state = 'running' AND i.generation = s.generation) AS latest
    FROM skylark.instances i
    WHERE i.service_id = s.id AND i.state IN ('created', 'running')) c
CROSS JOIN LATERAL (
    SELECT q.revision IS DISTINCT FROM st.observed_revision
        OR st.condition IS DISTINCT FROM 'settled'
        OR c.current <> c.wanted OR c.latest <> c.wanted AS is_deploying) d;
COMMENT ON VIEW skylark.service_states IS 'What is observed of each service, next to what is wanted.';
COMMENT ON COLUMN skylark.service_states.service_id IS 'Service.';
COMMENT ON COLUMN skylark.service_states.wanted IS 'Instances wanted now.';
COMMENT ON COLUMN skylark.service_states.current IS 'Containers that exist and have not ended.';
COMMENT ON COLUMN skylark.service_states.staged IS 'Of them, those that do not run yet.';
COMMENT ON COLUMN skylark.service_states.started IS 'Of them, those that run.';
COMMENT ON COLUMN skylark.service_states.is_deploying IS 'Whether what is observed still differs from what is wanted.';
COMMENT ON COLUMN skylark.service_states.trouble IS 'Why the counts can''t be vouched for; null when they can.';
COMMENT ON COLUMN skylark.service_states.current_status IS 'Deploying, Running, Stopped or Error.';
COMMENT ON COLUMN skylark.service_states.status_message IS 'Why, in words a user can act on.';
COMMENT ON COLUMN skylark.service_states.started_at IS 'When it last went from no running instance to one.';
COMMENT ON COLUMN skylark.service_states.stopped_at IS 'When it last had none left after a stop.';

CREATE VIEW skylark.instance_documents AS
SELECT i.service_id, i.id AS instance_id, i.slot, i.created_at, i.state,
       json_build_object(
           'uuid', i.id,
           'instance_name', s.name || '.' || i.slot,
           'service_name', s.name,
           'namespace', n.name,
           'status', i.state,
           'created_at', skylark.iso_time(i.created_at),
           'started_at', skylark.iso_time(i.started_at),
           'finished_at', skylark.iso_time(i.finished_at),
           'exit_code', i.exit_code,
           'reason', i.reason,
           'restarts', i.restarts,
           'container_id', i.container_id,
           'instance_ports', '[]'::json,
           'resource_uri', '/v1/services/' || n.name || '/' || s.name || '/instances/' || i.id || '/') AS document
FROM skylark.instances i
JOIN skylark.services s ON s.id = i.service_id
JOIN skylark.namespaces n ON n.id = s.namespace_id;
COMMENT ON VIEW skylark.instance_documents IS 'The API''s document of each instance.';
COMMENT ON COLUMN skylark.instance_documents.service_id IS 'Service.';
COMMENT ON COLUMN skylark.instance_documents.instance_id IS 'Instance.';
COMMENT ON COLUMN skylark.instance_documents.slot IS 'The n of its name.';
COMMENT ON COLUMN skylark.instance_documents.created_at IS 'When it was made.';
COMMENT ON COLUMN skylark.instance_documents.state IS 'As in instances.';
COMMENT ON COLUMN skylark.instance_documents.document IS 'The document.';

CREATE VIEW skylark.service_documents AS
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
               SELECT json_build_object(
                   'metric_name', a.metric_name, 'metric_stat', a.metric_stat,
                   'upper_threshold', a.upper_threshold, 'lower_threshold', a.lower_threshold,
                   'decrease_delta', a.decrease_delta, 'increase_delta', a.increase_delta,
                   'minimum_num_instances', a.minimum_num_instances,
                   'maximum_num_instances', a.maximum_num_instances, 'wait_period', a.wait_period)
               FROM skylark.autoscaling_settings a WHERE a.service_id = s.id)::text, '{}'),
           'instance_ports', COALESCE((
               SELECT json_agg(json_build_object(
                   'container_port', p.container_port, 'protocol', p.protocol, 'endpoint_type', p.endpoint_type,
                   'service_port', p.service_port, 'default_domain', s.domain_label || '.' || g.base_domain,
                   'ipaddress', NULL) ORDER BY p.id)
               FROM skylark.ports p WHERE p.service_id = s.id), '[]'::json),
           'linked_to', COALESCE((
               SELECT json_object_agg(l.target_service_id, l.alias ORDER BY l.target_service_id)
               FROM skylark.links l WHERE l.service_id = s.id)::text, '{}'),
           'run_command', s.run_command,
           'custom_domain_name', COALESCE(s.custom_domain_name, ''),
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
COMMENT ON VIEW skylark.service_documents IS 'The API''s document of each service that is not deleted.';
COMMENT ON COLUMN skylark.service_documents.namespace_id IS 'Whose it is.';
COMMENT ON COLUMN skylark.service_documents.seq IS 'Order of creation.';
COMMENT ON COLUMN skylark.service_documents.service_id IS 'Service.';
COMMENT ON COLUMN skylark.service_documents.service_name IS 'Its name.';
COMMENT ON COLUMN skylark.service_documents.target_state IS 'STARTED or STOPPED.';
COMMENT ON COLUMN skylark.service_documents.document IS 'The document.';

CREATE VIEW skylark.services_overview AS
SELECT n.name AS namespace, s.name AS service, s.image_name || ':' || s.image_tag AS image, s.instance_size,
       s.target_state, o.wanted, o.started, o.staged, o.current_status, o.status_message,
       s.updated_at, st.observed_at, s.deleted_at
FROM skylark.services s
JOIN skylark.namespaces n ON n.id = s.namespace_id
JOIN skylark.service_states o ON o.service_id = s.id
LEFT JOIN skylark.service_status st ON st.service_id = s.id;
COMMENT ON VIEW skylark.services_overview IS 'Services with their status, for people. With a deleted_at: the containers are being removed.';
COMMENT ON COLUMN skylark.services_overview.namespace IS 'Namespace.';
COMMENT ON COLUMN skylark.services_overview.service IS 'Service.';
COMMENT ON COLUMN skylark.services_overview.image IS 'Image and tag.';
COMMENT ON COLUMN skylark.services_overview.instance_size IS 'Size of each instance.';
COMMENT ON COLUMN skylark.services_overview.target_state IS 'STARTED or STOPPED.';
COMMENT ON COLUMN skylark.services_overview.wanted IS 'Instances wanted.';
COMMENT ON COLUMN skylark.services_overview.started IS 'Instances that run.';
COMMENT ON COLUMN skylark.services_overview.staged IS 'Instances that exist but do not run yet.';
COMMENT ON COLUMN skylark.services_overview.current_status IS 'Deploying, Running, Stopped or Error.';
COMMENT ON COLUMN skylark.services_overview.status_message IS 'Why.';
COMMENT ON COLUMN skylark.services_overview.updated_at IS 'When a user last changed it.';
COMMENT ON COLUMN skylark.services_overview.observed_at IS 'When a deployer last finished a pass over it.';
COMMENT ON COLUMN skylark.services_overview.deleted_at IS 'When its deletion was acknowledged.';

CREATE VIEW skylark.instances_overview AS
SELECT n.name AS namespace, s.name || '.' || i.slot AS instance, i.id AS instance_id, i.state, i.generation,
       i.restarts, i.started_at, i.finished_at, i.exit_code, i.reason, left(i.container_id, 12) AS container,
       p.next_seq AS log_lines, p.stored_bytes AS log_bytes
FROM skylark.instances i
JOIN skylark.services s ON s.id = i.service_id
JOIN skylark.namespaces n ON n.id = s.namespace_id
LEFT JOIN skylark.log_positions p ON p.instance_id = i.id;
COMMENT ON VIEW skylark.instances_overview IS 'Instances, also those that are gone while their lines are kept, for people.';
COMMENT ON COLUMN skylark.instances_overview.namespace IS 'Namespace.';
COMMENT ON COLUMN skylark.instances_overview.instance IS '{service}.{n}.';
COMMENT ON COLUMN skylark.instances_overview.instance_id IS 'uuid.';
COMMENT ON COLUMN skylark.instances_overview.state IS 'As last observed.';
COMMENT ON COLUMN skylark.instances_overview.generation IS 'Generation of the service that it was made from.';
COMMENT ON COLUMN skylark.instances_overview.restarts IS 'Failures of this slot in a row before it.';
COMMENT ON COLUMN skylark.instances_overview.started_at IS 'When it started.';
COMMENT ON COLUMN skylark.instances_overview.finished_at IS 'When it ended.';
COMMENT ON COLUMN skylark.instances_overview.exit_code IS 'Exit code.';
COMMENT ON COLUMN skylark.instances_overview.reason IS 'Why it ended.';
COMMENT ON COLUMN skylark.instances_overview.container IS 'Container, as docker ps shows it.';
COMMENT ON COLUMN skylark.instances_overview.log_lines IS 'Lines stored of it.';
COMMENT ON COLUMN skylark.instances_overview.log_bytes IS 'Bytes stored of it.';

CREATE VIEW skylark.busiest_log_writers AS
SELECT n.name AS namespace, s.name AS service, sum(p.next_seq) AS log_lines, sum(p.stored_bytes) AS log_bytes,
       round(sum(p.stored_bytes) / GREATEST(extract(epoch FROM now() - min(i.created_at)), 1)) AS bytes_per_second,
       max(p.updated_at) AS last_line_at
FROM skylark.log_positions p
JOIN skylark.instances i ON i.id = p.instance_id
JOIN skylark.services s ON s.id = p.service_id
JOIN skylark.namespaces n ON n.id = s.namespace_id
GROUP BY n.name, s.name
ORDER BY log_bytes DESC;
COMMENT ON VIEW skylark.busiest_log_writers IS 'Which services print most, over the instances that are still known.';
COMMENT ON COLUMN skylark.busiest_log_writers.namespace IS 'Namespace.';
COMMENT ON COLUMN skylark.busiest_log_writers.service IS 'Service.';
COMMENT ON COLUMN skylark.busiest_log_writers.log_lines IS 'Lines stored.';
COMMENT ON COLUMN skylark.busiest_log_writers.log_bytes IS 'Bytes stored.';
COMMENT ON COLUMN skylark.busiest_log_writers.bytes_per_second IS 'Mean since the oldest of its known instances was made.';
COMMENT ON COLUMN skylark.busiest_log_writers.last_line_at IS 'When lines were last stored.';

CREATE VIEW skylark.table_sizes AS
SELECT c.relname AS table_name, c.relispartition AS is_partition, GREATEST(c.reltuples, 0)::bigint AS estimated_rows,
       pg_table_size(c.oid) AS table_bytes, pg_indexes_size(c.oid) AS index_bytes,
       pg_size_pretty(pg_total_relation_size(c.oid)) AS total
FROM pg_class c
WHERE c.relnamespace = 'skylark'::regnamespace AND c.relkind = 'r'
ORDER BY pg_total_relation_size(c.oid) DESC;
COMMENT ON VIEW skylark.table_sizes IS 'How large each table and partition is, largest first.';
COMMENT ON COLUMN skylark.table_sizes.table_name IS 'Table.';
COMMENT ON COLUMN skylark.table_sizes.is_partition IS 'Whether it is one day of log rows.';
COMMENT ON COLUMN skylark.table_sizes.estimated_rows IS 'Rows, as the planner believes.';
COMMENT ON COLUMN skylark.table_sizes.table_bytes IS 'Bytes of the table itself.';
COMMENT ON COLUMN skylark.table_sizes.index_bytes IS 'Bytes of its indexes.';
COMMENT ON COLUMN skylark.table_sizes.total IS 'Both, readable.';

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA skylark FROM PUBLIC;
GRANT EXECUTE ON FUNCTION skylark.iso_time TO skylark_api, skylark_deployer, skylark_collector, skylark_dba;
GRANT SELECT ON skylark.engine_trouble, skylark.service_states, skylark.service_documents,
    skylark.instance_documents TO skylark_api, skylark_dba;
GRANT SELECT ON skylark.services_overview, skylark.instances_overview, skylark.busiest_log_writers,
    skylark.table_sizes TO skylark_dba;
