-- The services of the namespace $1 (NULL: of all) with their status, $2 at the most: those in error first.
-- parameters: namespace, most
-- columns: namespace, service, image, size, running, status, message
SELECT namespace, service, image, instance_size AS size, started || '/' || wanted AS running,
       CASE WHEN deleted_at IS NOT NULL THEN 'Deleting' ELSE current_status END AS status, status_message AS message
FROM skylark.services_overview
WHERE $1::text IS NULL OR namespace = $1::text
ORDER BY (deleted_at IS NULL AND current_status = 'Error') DESC, namespace, service
LIMIT $2::int
