-- hot
-- A series of the metric $5 of the service $3 in the namespace $2, or of its instance $4 alone (null: of all), for the token
-- with hash $1: the statistic $6 over each $9 seconds from $7 up to, but without, $8 (seconds since 1970, multiples of $9).
-- Null when there is no such service or instance; and when it would be made of the samples of more than $10 seconds of instances'
-- lives, which the last column tells.
-- parameters: token_hash, namespace, service_name, instance_id, metric_name, metric_stat, from, until, period, limit
-- columns: token_id, user_name, granted, token_unmarked, document, instance_seconds
SELECT a.token_id, a.user_name, a.granted, a.token_unmarked,
       CASE WHEN s.id IS NOT NULL AND ($4::uuid IS NULL OR i.id IS NOT NULL) AND l.seconds <= $10::bigint THEN json_build_object(
           'metric_name', $5::text, 'metric_stat', $6::text,
           'unit', CASE WHEN $5::text LIKE 'NETWORK%' THEN 'bytes per second' ELSE 'fraction of the limit' END,
           'start_time', $7::bigint, 'end_time', $8::bigint, 'period', $9::bigint,
           'points', (
               SELECT json_agg(json_build_object('time', b.at, 'value', p.value, 'samples', COALESCE(p.samples, 0)) ORDER BY b.at)
               FROM generate_series($7::bigint, $8::bigint - 1, $9::bigint) AS b (at)
               LEFT JOIN (
                   SELECT floor(date_part('epoch', m.sampled_at) / $9::bigint)::bigint * $9::bigint AS at, count(*) AS samples,
                          CASE $6::text WHEN 'MEAN' THEN avg(v.value) WHEN 'MAX' THEN max(v.value) ELSE min(v.value) END AS value
                   FROM skylark.instances k
                   JOIN skylark.metric_samples m ON m.instance_id = k.id
                   CROSS JOIN LATERAL (
                       SELECT CASE $5::text WHEN 'CPU_UTILIZATION' THEN m.cpu_utilization
                                            WHEN 'MEMORY_UTILIZATION' THEN m.memory_utilization
                                            WHEN 'NETWORK_IN' THEN m.network_in ELSE m.network_out END AS value) v
                   WHERE k.service_id = s.id AND ($4::uuid IS NULL OR k.id = $4::uuid)
                     AND m.sampled_at >= to_timestamp($7::bigint) AND m.sampled_at < to_timestamp($8::bigint)
                   GROUP BY 1) p ON p.at = b.at))::text END AS document,
       CASE WHEN s.id IS NOT NULL AND ($4::uuid IS NULL OR i.id IS NOT NULL) THEN l.seconds END AS instance_seconds
FROM skylark.access($1::bytea, $2::text) a
LEFT JOIN skylark.services s ON s.namespace_id = a.namespace_id AND s.name = $3::text AND s.deleted_at IS NULL
LEFT JOIN skylark.instances i ON i.service_id = s.id AND i.id = $4::uuid
LEFT JOIN LATERAL (
    SELECT COALESCE(sum(GREATEST(LEAST($8::bigint, COALESCE(date_part('epoch', e.finished_at), $8::bigint))
                                 - GREATEST($7::bigint, date_part('epoch', e.created_at)), 0)), 0)::bigint AS seconds
    FROM skylark.instances e
    WHERE e.service_id = s.id AND ($4::uuid IS NULL OR e.id = $4::uuid)) l ON true
