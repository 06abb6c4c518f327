-- What people read.
-- after: status endpoints autoscaling

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

CREATE VIEW skylark.endpoints_overview AS
SELECT n.name AS namespace, s.name AS service, p.endpoint_type, p.container_port, p.protocol, p.service_port,
       CASE WHEN p.endpoint_type = 'http-endpoint'
            THEN concat_ws(',', skylark.endpoint_domain(p.service_id, p.id, p.container_port, p.endpoint_type, s.name, s.domain_label,
                                                        g.base_domain),
                           (SELECT string_agg(c.name, ',' ORDER BY c.position) FROM skylark.custom_domains c
                            WHERE c.service_id = s.id
                              AND NOT EXISTS (SELECT FROM skylark.ports f WHERE f.service_id = s.id AND f.id < p.id
                                                                            AND f.endpoint_type = 'http-endpoint')))
       END AS host_names,
       (SELECT count(*) FROM skylark.instances i JOIN skylark.instance_ports o ON o.instance_id = i.id
        WHERE i.service_id = s.id AND i.state = 'running' AND i.ready_at IS NOT NULL AND i.unroute_requested_at IS NULL
          AND (o.container_port, o.protocol, o.endpoint_type) = (p.container_port, p.protocol, p.endpoint_type)) AS instances
FROM skylark.ports p
JOIN skylark.services s ON s.id = p.service_id AND s.deleted_at IS NULL
JOIN skylark.namespaces n ON n.id = s.namespace_id
CROSS JOIN skylark.installation g;
COMMENT ON VIEW skylark.endpoints_overview IS 'How every port is reached, and how many instances stand behind it, for people.';
COMMENT ON COLUMN skylark.endpoints_overview.namespace IS 'Namespace.';
COMMENT ON COLUMN skylark.endpoints_overview.service IS 'Service.';
COMMENT ON COLUMN skylark.endpoints_overview.endpoint_type IS 'How it is reached.';
COMMENT ON COLUMN skylark.endpoints_overview.container_port IS 'Port inside the instances.';
COMMENT ON COLUMN skylark.endpoints_overview.protocol IS 'tcp or udp.';
COMMENT ON COLUMN skylark.endpoints_overview.service_port IS 'Public port of a tcp-endpoint.';
COMMENT ON COLUMN skylark.endpoints_overview.host_names IS 'Host names of an http-endpoint.';
COMMENT ON COLUMN skylark.endpoints_overview.instances IS 'Instances that answer there and are to get requests.';

CREATE VIEW skylark.autoscaling_overview AS
SELECT n.name AS namespace, s.name AS service, s.target_num_instances AS target, q.wanted, q.reason,
       skylark.autoscaling_message(q.reason, a.metric_name, a.metric_stat, q.metric_value, a.upper_threshold, a.lower_threshold,
                                   q.samples, q.running, q.counted, q.missing, q.target, q.wanted, q.wanted) AS message,
       q.evaluated_at, q.due_at, q.acted_at, s.last_autoscaled_at
FROM skylark.autoscaling_queue q
JOIN skylark.services s ON s.id = q.service_id
JOIN skylark.autoscaling_settings a ON a.service_id = s.id
JOIN skylark.namespaces n ON n.id = s.namespace_id
WHERE q.due_at < 'infinity';
COMMENT ON VIEW skylark.autoscaling_overview IS 'AUTO services and what the autoscaler saw last, for people.';
COMMENT ON COLUMN skylark.autoscaling_overview.namespace IS 'Namespace.';
COMMENT ON COLUMN skylark.autoscaling_overview.service IS 'Service.';
COMMENT ON COLUMN skylark.autoscaling_overview.target IS 'target_num_instances now.';
COMMENT ON COLUMN skylark.autoscaling_overview.wanted IS 'Count last decided on.';
COMMENT ON COLUMN skylark.autoscaling_overview.reason IS 'Reason code of the latest evaluation.';
COMMENT ON COLUMN skylark.autoscaling_overview.message IS 'In words.';
COMMENT ON COLUMN skylark.autoscaling_overview.evaluated_at IS 'When it was last looked at.';
COMMENT ON COLUMN skylark.autoscaling_overview.due_at IS 'When it is looked at next.';
COMMENT ON COLUMN skylark.autoscaling_overview.acted_at IS 'When its count was last changed, by whomever.';
COMMENT ON COLUMN skylark.autoscaling_overview.last_autoscaled_at IS 'When the autoscaler last changed it.';

CREATE VIEW skylark.metrics_overview AS
SELECT n.name AS namespace, s.name || '.' || i.slot AS instance, i.id AS instance_id, m.sampled_at, m.cpu_utilization,
       m.memory_utilization, m.network_in, m.network_out
FROM skylark.instances i
JOIN skylark.services s ON s.id = i.service_id
JOIN skylark.namespaces n ON n.id = s.namespace_id
CROSS JOIN LATERAL (SELECT x.* FROM skylark.metric_samples x WHERE x.instance_id = i.id AND x.sampled_at > now() - interval '1 hour'
                    ORDER BY x.sampled_at DESC LIMIT 1) m
WHERE i.state = 'running';
COMMENT ON VIEW skylark.metrics_overview IS 'The latest sample of each running instance, for people.';
COMMENT ON COLUMN skylark.metrics_overview.namespace IS 'Namespace.';
COMMENT ON COLUMN skylark.metrics_overview.instance IS '{service}.{n}.';
COMMENT ON COLUMN skylark.metrics_overview.instance_id IS 'uuid.';
COMMENT ON COLUMN skylark.metrics_overview.sampled_at IS 'When.';
COMMENT ON COLUMN skylark.metrics_overview.cpu_utilization IS 'Fraction of its CPU limit.';
COMMENT ON COLUMN skylark.metrics_overview.memory_utilization IS 'Fraction of its memory limit.';
COMMENT ON COLUMN skylark.metrics_overview.network_in IS 'Bytes per second received.';
COMMENT ON COLUMN skylark.metrics_overview.network_out IS 'Bytes per second sent.';

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
