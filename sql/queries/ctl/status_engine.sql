-- The engine and whether its counts can be vouched for.
-- columns: name, version, state, observed_at, verdict
SELECT COALESCE(e.name, '') AS name, COALESCE(e.version, '') AS version, COALESCE(e.state, 'unknown') AS state,
       e.observed_at::timestamptz(0) AS observed_at, COALESCE(x.trouble, 'ok') AS verdict
FROM skylark.engine_trouble x
LEFT JOIN (skylark.installation i JOIN skylark.engines e ON e.engine_id = i.engine_id) ON true
