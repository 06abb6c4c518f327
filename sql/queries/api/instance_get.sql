-- hot
-- The document of the instance $4 of the service $3 in the namespace $2, for the token with hash $1. Instances
-- that are gone are found as long as their lines are kept.
-- parameters: token_hash, namespace, service_name, instance_id
-- columns: token_id, user_name, granted, token_unmarked, document, service_id
SELECT a.token_id, a.user_name, a.granted, a.token_unmarked, i.document::text, i.service_id
FROM skylark.access($1::bytea, $2::text) a
LEFT JOIN (skylark.services s
           JOIN skylark.instance_documents i ON i.service_id = s.id AND i.instance_id = $4::uuid)
    ON s.namespace_id = a.namespace_id AND s.name = $3::text AND s.deleted_at IS NULL
