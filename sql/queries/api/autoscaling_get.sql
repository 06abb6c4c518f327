-- hot
-- How the service $3 in the namespace $2 is scaled, with its last $4 decisions, for the token with hash $1.
-- parameters: token_hash, namespace, service_name, limit
-- columns: token_id, user_name, granted, token_unmarked, document
SELECT a.token_id, a.user_name, a.granted, a.token_unmarked,
       CASE WHEN s.id IS NOT NULL THEN json_build_object(
           'service_name', s.name,
           'namespace', $2::text,
           'scaling_mode', s.scaling_mode,
           'target_state', s.target_state,
           'target_num_instances', s.target_num_instances,
           'last_autoscaled_at', skylark.iso_time(s.last_autoscaled_at),
           'settings', CASE WHEN x.service_id IS NOT NULL THEN json_build_object(
               'metric_name', x.metric_name, 'metric_stat', x.metric_stat, 'upper_threshold', x.upper_threshold,
               'lower_threshold', x.lower_threshold, 'decrease_delta', x.decrease_delta, 'increase_delta', x.increase_delta,
               'minimum_num_instances', x.minimum_num_instances, 'maximum_num_instances', x.maximum_num_instances,
               'wait_period', x.wait_period,
               'scale_up_wait_period', COALESCE(x.scale_up_wait_period, x.wait_period),
               'scale_down_wait_period', COALESCE(x.scale_down_wait_period, x.wait_period),
               'stabilization_window', x.stabilization_window, 'dry_run', x.dry_run) END,
           -- What was seen before the latest change is not what is: for the moment until the next look there is nothing to show.
           'current', CASE WHEN q.evaluated_at >= s.updated_at AND q.due_at < 'infinity' THEN json_build_object(
               'time', skylark.iso_time(q.evaluated_at), 'reason', q.reason,
               'message', skylark.autoscaling_message(
                   q.reason, x.metric_name, x.metric_stat, q.metric_value, x.upper_threshold, x.lower_threshold, q.samples,
                   q.running, q.counted, q.missing, q.target, q.wanted, q.wanted),
               'metric_value', q.metric_value, 'samples', q.samples, 'running_instances', q.running,
               'counted_instances', q.counted, 'missing_instances', q.missing, 'wanted_num_instances', q.wanted) END,
           'next_evaluation_at', CASE WHEN q.due_at < 'infinity' THEN skylark.iso_time(q.due_at) END,
           'scale_up_from', skylark.iso_time(COALESCE(q.up_since, q.acted_at) + make_interval(secs => COALESCE(x.scale_up_wait_period, x.wait_period))),
           'scale_down_from', skylark.iso_time(q.acted_at + make_interval(secs => COALESCE(x.scale_down_wait_period, x.wait_period))),
           'decisions', COALESCE((
               SELECT json_agg(json_build_object(
                   'time', skylark.iso_time(d.decided_at), 'reason', d.reason,
                   'message', skylark.autoscaling_message(
                       d.reason, d.metric_name, d.metric_stat, d.metric_value, d.upper_threshold, d.lower_threshold, d.samples,
                       d.running, d.counted, d.missing, d.target_before, d.target_after, d.wanted),
                   'metric_name', d.metric_name, 'metric_stat', d.metric_stat, 'metric_value', d.metric_value,
                   'samples', d.samples, 'running_instances', d.running, 'counted_instances', d.counted,
                   'missing_instances', d.missing, 'num_instances_before', d.target_before,
                   'num_instances_after', d.target_after, 'wanted_num_instances', d.wanted) ORDER BY d.id DESC)
               FROM (SELECT * FROM skylark.autoscaling_decisions l WHERE l.service_id = s.id
                     ORDER BY l.id DESC LIMIT $4::bigint) d), '[]'::json))::text END AS document
FROM skylark.access($1::bytea, $2::text) a
LEFT JOIN skylark.services s ON s.namespace_id = a.namespace_id AND s.name = $3::text AND s.deleted_at IS NULL
LEFT JOIN skylark.autoscaling_settings x ON x.service_id = s.id
LEFT JOIN skylark.autoscaling_queue q ON q.service_id = s.id
