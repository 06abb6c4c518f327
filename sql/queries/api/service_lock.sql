-- The service $2 of the namespace $1, locked until the transaction ends, with what checks of a change need.
-- parameters: namespace_id, service_name
-- columns: service_id, scaling_mode, minimum_num_instances, maximum_num_instances
SELECT s.id AS service_id, s.scaling_mode, a.minimum_num_instances, a.maximum_num_instances
FROM skylark.services s
LEFT JOIN skylark.autoscaling_settings a ON a.service_id = s.id
WHERE s.namespace_id = $1::bigint AND s.name = $2::text AND s.deleted_at IS NULL
FOR NO KEY UPDATE OF s
