-- The service $2 of the namespace $1, locked until the transaction ends, with what checks of a change need.
SELECT s.id, s.target_state, s.scaling_mode, EXISTS (SELECT FROM skylark.autoscaling_settings a WHERE a.service_id = s.id)
FROM skylark.services s
WHERE s.namespace_id = $1::bigint AND s.name = $2::text AND s.deleted_at IS NULL
FOR UPDATE
