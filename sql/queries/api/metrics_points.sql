-- hot
-- The metrics of the instance $4 of the service $3 in the namespace $2 in the form of 2015, for the token with hash $1: a point for
-- each $7 seconds from $5 up to, but without, $6 (seconds since 1970) in which samples were taken, newest first. Its time and its
-- counters are those of the last sample there; usages of CPU and memory are means over its samples, utilizations in percent.
-- sequence_number tells points of the same time apart, of which there are none. Null when there is no such service or instance, and
-- when it would be made of the samples of more than $8 seconds of the instance's life, which the last column tells.
-- parameters: token_hash, namespace, service_name, instance_id, from, until, period, limit
-- columns: token_id, user_name, granted, token_unmarked, document, instance_seconds
SELECT a.token_id, a.user_name, a.granted, a.token_unmarked,
       CASE WHEN l.seconds <= $8::bigint THEN json_build_object(
           'name', translate('stats.' || s.id || '.' || i.id, '-', '_'),
           'columns', json_build_array('time', 'sequence_number', 'cpu_cumulative_usage', 'cpu_utilization', 'memory_usage',
                                       'memory_utilization', 'rx_bytes', 'rx_errors', 'tx_bytes', 'tx_errors'),
           'points', COALESCE((
               SELECT json_agg(json_build_array(
                          floor(date_part('epoch', p.at))::bigint, 0, c.cpu_ns, 100 * p.cpu_utilization, p.memory_bytes,
                          100 * p.memory_utilization, c.received_bytes, c.received_errors, c.sent_bytes, c.sent_errors)
                      ORDER BY p.at DESC)
               FROM (SELECT floor(date_part('epoch', m.sampled_at) / $7::bigint) AS bucket, max(m.sampled_at) AS at,
                            avg(m.cpu_utilization) AS cpu_utilization, avg(m.memory_utilization) AS memory_utilization,
                            round(avg(m.memory_bytes))::bigint AS memory_bytes
                     FROM skylark.metric_samples m
                     WHERE m.instance_id = i.id AND m.sampled_at >= to_timestamp($5::bigint)
                       AND m.sampled_at < to_timestamp($6::bigint)
                     GROUP BY 1) p
               CROSS JOIN LATERAL (SELECT x.* FROM skylark.metric_samples x
                                   WHERE x.instance_id = i.id AND x.sampled_at = p.at
                                   LIMIT 1) c), '[]'::json))::text END AS document,
       l.seconds AS instance_seconds
FROM skylark.access($1::bytea, $2::text) a
LEFT JOIN skylark.services s ON s.namespace_id = a.namespace_id AND s.name = $3::text AND s.deleted_at IS NULL
LEFT JOIN skylark.instances i ON i.service_id = s.id AND i.id = $4::uuid
LEFT JOIN LATERAL (
    SELECT GREATEST(LEAST($6::bigint, COALESCE(date_part('epoch', i.finished_at), $6::bigint))
                    - GREATEST($5::bigint, date_part('epoch', i.created_at)), 0)::bigint AS seconds) l ON i.id IS NOT NULL
