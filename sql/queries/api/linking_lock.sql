-- Locks the services that link to the service $1, whose environment changes with its ports: before anything takes of a quota, so
-- that nobody waits for them while holding what others of the namespace wait for.
-- parameters: service_id
-- columns: count
SELECT count(*)
FROM (SELECT FROM skylark.services s
      WHERE s.id IN (SELECT l.service_id FROM skylark.links l WHERE l.target_service_id = $1::uuid)
      ORDER BY s.id
      FOR NO KEY UPDATE) locked
