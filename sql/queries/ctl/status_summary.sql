-- How many services of the namespace $1 (NULL: of all) there are, by what is observed of them; no row if there is no such namespace.
-- One scan, and an index look-up a service.
-- parameters: namespace
-- columns: services, running, deploying, stopped, error, deleting, instances
SELECT count(*) AS services,
       count(*) FILTER (WHERE deleted_at IS NULL AND current_status = 'Running') AS running,
       count(*) FILTER (WHERE deleted_at IS NULL AND current_status = 'Deploying') AS deploying,
       count(*) FILTER (WHERE deleted_at IS NULL AND current_status = 'Stopped') AS stopped,
       count(*) FILTER (WHERE deleted_at IS NULL AND current_status = 'Error') AS error,
       count(*) FILTER (WHERE deleted_at IS NOT NULL) AS deleting,
       COALESCE(sum(started + staged), 0) AS instances
FROM skylark.services_overview
WHERE $1::text IS NULL OR namespace = $1::text
HAVING $1::text IS NULL OR EXISTS (SELECT 1 FROM skylark.namespaces n WHERE n.name = $1::text)
