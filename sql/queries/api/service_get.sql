-- hot
-- The document of the service $3 in the namespace $2, for the token with hash $1.
-- parameters: token_hash, namespace, service_name
-- columns: token_id, user_name, granted, token_unmarked, document
SELECT a.token_id, a.user_name, a.granted, a.token_unmarked, d.document::text
FROM skylark.access($1::bytea, $2::text) a
LEFT JOIN skylark.service_documents d ON d.namespace_id = a.namespace_id AND d.service_name = $3::text
