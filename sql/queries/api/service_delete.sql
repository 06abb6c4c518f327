-- Marks the service $1 as deleted; the deployer removes what it runs, then the row. Its own links go at once.
WITH unlinked AS (DELETE FROM skylark.links WHERE service_id = $1::uuid)
UPDATE skylark.services SET deleted_at = now(), updated_at = now() WHERE id = $1::uuid
