-- hot
-- The instances of the service $3 in the namespace $2 that exist on the engine and have started, for the token with hash $1;
-- null when there is no such service.
-- parameters: token_hash, namespace, service_name
-- columns: token_id, user_name, granted, token_unmarked, document
SELECT a.token_id, a.user_name, a.granted, a.token_unmarked,
       CASE WHEN s.id IS NOT NULL THEN COALESCE((
           SELECT json_agg(i.document ORDER BY i.slot, i.created_at)
           FROM skylark.instance_documents i
           WHERE i.service_id = s.id AND i.state IN ('created', 'running') AND i.started_at IS NOT NULL), '[]'::json)::text END AS document
FROM skylark.access($1::bytea, $2::text) a
LEFT JOIN skylark.services s ON s.namespace_id = a.namespace_id AND s.name = $3::text AND s.deleted_at IS NULL
