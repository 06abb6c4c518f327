-- One row a check: ok, WARN or FAIL, what was checked, and what was found with what to do.
-- columns: verdict, subject, finding
SELECT CASE WHEN count(*) = 6 THEN 'ok' ELSE 'FAIL' END AS verdict, 'roles' AS subject,
       CASE WHEN count(*) = 6 THEN 'all there' ELSE 'some are missing; run skylarkctl migrate' END AS finding
FROM pg_roles
WHERE rolname IN ('skylark_api', 'skylark_autoscaler', 'skylark_deployer', 'skylark_collector', 'skylark_router', 'skylark_dba')
UNION ALL
SELECT CASE WHEN count(*) = 0 THEN 'ok' ELSE 'FAIL' END, 'role settings',
       CASE WHEN count(*) = 0 THEN 'as they should be'
            ELSE string_agg(d.role || ': ' || d.setting || ' is ' || COALESCE(d.found, 'not set') || ', not '
                            || COALESCE(d.value, 'the server''s') || CASE WHEN d.in_database THEN ' (in this database)' ELSE '' END,
                            '; ' ORDER BY d.role, d.setting) || '; run skylarkctl doctor --fix' END
FROM skylark.role_setting_differences d
UNION ALL
SELECT CASE WHEN count(*) = 0 THEN 'ok' ELSE 'FAIL' END, 'definitions',
       CASE WHEN count(*) = 0 THEN 'views, functions, triggers and rights are as they were applied'
            ELSE 'changed by hand: ' || string_agg(d.kind || ' ' || d.name || ' ' || d.what, '; ' ORDER BY d.kind, d.name)
                 || '; run skylarkctl doctor --fix' END
FROM skylark.schema_differences d
UNION ALL
SELECT CASE WHEN trouble IS NULL THEN 'ok' ELSE 'FAIL' END, 'engine',
       COALESCE(trouble || ' Look at skylark-deployer''s log and at the engine.', 'answers')
FROM skylark.engine_trouble
UNION ALL
SELECT CASE WHEN count(*) = 2 THEN 'ok' ELSE 'WARN' END, 'partitions',
       CASE WHEN count(*) = 2 THEN 'made ahead' ELSE 'tomorrow''s are missing; is skylark-collector running?' END
FROM (VALUES ('log_rows_'), ('metric_samples_')) AS t (prefix)
WHERE to_regclass('skylark.' || prefix || to_char((now() + interval '1 day') AT TIME ZONE 'UTC', 'YYYYMMDD')) IS NOT NULL
UNION ALL
SELECT CASE WHEN count(*) = 0 THEN 'ok' ELSE 'WARN' END, 'services',
       CASE WHEN count(*) = 0 THEN 'none in error'
            ELSE count(*) || ' in error: ' || array_to_string((array_agg(namespace || '/' || service ORDER BY namespace, service))[1:20], ', ')
                 || CASE WHEN count(*) > 20 THEN ', …' ELSE '' END || '; see skylarkctl status' END
FROM skylark.services_overview
WHERE current_status = 'Error' AND deleted_at IS NULL
UNION ALL
SELECT CASE WHEN COALESCE(max(now() - due_at), interval '0') < interval '1 minute' THEN 'ok' ELSE 'FAIL' END, 'reconcile queue',
       CASE WHEN COALESCE(max(now() - due_at), interval '0') < interval '1 minute' THEN 'nothing waits long'
            ELSE count(*) || ' services wait, the longest for ' || max(now() - due_at)::interval(0)
                 || '; is skylark-deployer running?' END
FROM (SELECT q.due_at
      FROM skylark.reconcile_queue q
      WHERE q.due_at < now() AND (q.lease_until IS NULL OR q.lease_until < now())
      UNION ALL
      SELECT min(w.woken_at) FROM skylark.wakes w GROUP BY w.service_id) waiting
UNION ALL
SELECT CASE WHEN count(*) = 0 THEN 'ok' ELSE 'WARN' END, 'log positions',
       CASE WHEN count(*) = 0 THEN 'every running instance is followed'
            ELSE count(*) || ' running instances are not followed; is skylark-collector running?' END
FROM skylark.instances i
WHERE i.state = 'running' AND i.started_at < now() - interval '1 minute'
  AND NOT EXISTS (SELECT FROM skylark.log_positions p WHERE p.instance_id = i.id)
UNION ALL
SELECT CASE WHEN count(*) = 0 THEN 'ok' ELSE 'WARN' END, 'metric samples',
       CASE WHEN count(*) = 0 THEN 'every running instance is sampled'
            ELSE count(*) || ' running instances have no fresh samples; is skylark-collector running?' END
FROM skylark.instances i
WHERE i.state = 'running' AND i.started_at < now() - interval '2 minutes'
  AND NOT EXISTS (SELECT FROM skylark.metric_samples m WHERE m.instance_id = i.id AND m.sampled_at > now() - interval '2 minutes')
UNION ALL
SELECT CASE WHEN COALESCE(max(now() - due_at), interval '0') < interval '1 minute' THEN 'ok' ELSE 'FAIL' END, 'autoscaling queue',
       CASE WHEN COALESCE(max(now() - due_at), interval '0') < interval '1 minute' THEN 'nothing waits long'
            ELSE count(*) || ' services wait, the longest for ' || max(now() - due_at)::interval(0)
                 || '; is skylark-autoscaler running?' END
FROM skylark.autoscaling_queue
WHERE due_at < now()
UNION ALL
SELECT CASE WHEN s.live AND s.fault IS NULL AND e.faults IS NULL THEN 'ok' ELSE 'FAIL' END, 'fronts',
       CASE WHEN NOT s.known THEN 'none has ever reported; is skylark-router running?'
            WHEN s.live AND s.fault IS NULL AND e.faults IS NULL
            THEN (SELECT count(*) FROM skylark.live_fronts) || ' serve the latest routes'
            ELSE concat_ws('; ', s.fault, e.faults) END
FROM skylark.front_state s
CROSS JOIN LATERAL (
    SELECT string_agg(f.name || ': ' || n.name || '/' || s.name || ': ' || e.value, '; ' ORDER BY f.name, n.name, s.name) AS faults
    FROM skylark.live_fronts f
    CROSS JOIN LATERAL jsonb_each_text(f.endpoint_faults) e
    JOIN skylark.services s ON s.id = e.key::uuid
    JOIN skylark.namespaces n ON n.id = s.namespace_id) e
UNION ALL
SELECT 'WARN', 'fronts', string_agg(
           f.name || CASE WHEN f.observed_at > now() - interval '30 seconds' THEN ' has never served: ' || f.fault
                          ELSE ' is silent since ' || f.observed_at::timestamptz(0)
                               || '; if it is gone for good: skylarkctl front forget ' || f.name END, '; ' ORDER BY f.name)
FROM skylark.fronts f
WHERE NOT EXISTS (SELECT FROM skylark.live_fronts l WHERE l.name = f.name)
HAVING count(*) > 0
UNION ALL
SELECT CASE WHEN g.host_names = '{localhost}' OR c.names IS NOT NULL THEN 'WARN' ELSE 'ok' END, 'host names',
       CASE WHEN c.names IS NOT NULL
            THEN 'custom domain names that lead nowhere, since they are the operator''s own: ' || c.names
            WHEN g.host_names = '{localhost}'
            THEN 'a user may take the name of your API for a service; tell it by skylarkctl settings set host_names=NAME,…'
            ELSE 'no service may have ' || array_to_string(g.host_names, ', ') END
FROM skylark.installation g
CROSS JOIN LATERAL (
    SELECT string_agg(c.name, ', ' ORDER BY c.name) AS names
    FROM skylark.custom_domains c
    WHERE c.name = ANY (g.host_names) OR right('.' || c.name, length(g.base_domain) + 1) = '.' || g.base_domain) c
