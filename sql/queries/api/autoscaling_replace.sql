-- Makes the autoscaling settings of the service $1 those of the checked object $2; an empty one removes them.
-- parameters: service_id, wanted
WITH f AS (SELECT r.metric_name, r.metric_stat, r.upper_threshold, r.lower_threshold, r.increase_delta, r.decrease_delta,
                  r.minimum_num_instances, r.maximum_num_instances, r.wait_period, r.scale_up_wait_period,
                  r.scale_down_wait_period, COALESCE(r.stabilization_window, 0), COALESCE(r.dry_run, false)
           FROM jsonb_to_record($2::jsonb)
               AS r (metric_name text, metric_stat text, upper_threshold double precision,
                     lower_threshold double precision, increase_delta integer, decrease_delta integer,
                     minimum_num_instances integer, maximum_num_instances integer, wait_period integer,
                     scale_up_wait_period integer, scale_down_wait_period integer, stabilization_window integer,
                     dry_run boolean)
           WHERE $2::jsonb <> '{}'),
     gone AS (DELETE FROM skylark.autoscaling_settings a WHERE a.service_id = $1::uuid AND NOT EXISTS (SELECT FROM f))
INSERT INTO skylark.autoscaling_settings AS a
    (service_id, metric_name, metric_stat, upper_threshold, lower_threshold, increase_delta, decrease_delta,
     minimum_num_instances, maximum_num_instances, wait_period, scale_up_wait_period, scale_down_wait_period,
     stabilization_window, dry_run)
SELECT $1::uuid, f.* FROM f
ON CONFLICT (service_id) DO UPDATE
SET (metric_name, metric_stat, upper_threshold, lower_threshold, increase_delta, decrease_delta,
     minimum_num_instances, maximum_num_instances, wait_period, scale_up_wait_period, scale_down_wait_period,
     stabilization_window, dry_run)
  = (EXCLUDED.metric_name, EXCLUDED.metric_stat, EXCLUDED.upper_threshold, EXCLUDED.lower_threshold,
     EXCLUDED.increase_delta, EXCLUDED.decrease_delta, EXCLUDED.minimum_num_instances,
     EXCLUDED.maximum_num_instances, EXCLUDED.wait_period, EXCLUDED.scale_up_wait_period,
     EXCLUDED.scale_down_wait_period, EXCLUDED.stabilization_window, EXCLUDED.dry_run)
