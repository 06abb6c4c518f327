-- The services with their status.
-- columns: namespace, service, image, size, running, status, message
SELECT namespace, service, image, instance_size AS size, started || '/' || wanted AS running,
       CASE WHEN deleted_at IS NOT NULL THEN 'Deleting' ELSE current_status END AS status, status_message AS message
FROM skylark.services_overview
ORDER BY namespace, service
