-- hot
-- The id of the service $3 in the namespace $2, for the token with hash $1.
-- parameters: token_hash, namespace, service_name
-- columns: token_id, user_name, granted, token_unmarked, service_id
SELECT a.token_id, a.user_name, a.granted, a.token_unmarked, s.id AS service_id
FROM skylark.access($1::bytea, $2::text) a
LEFT JOIN skylark.services s ON s.namespace_id = a.namespace_id AND s.name = $3::text AND s.deleted_at IS NULL
