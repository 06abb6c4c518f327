-- Marks the service $1 as deleted; the deployer removes what it runs, then the row. Its own links go at once, and so do its
-- custom domain names, which another service may take over.
-- parameters: service_id
WITH unlinked AS (DELETE FROM skylark.links WHERE service_id = $1::uuid),
     released AS (DELETE FROM skylark.custom_domains WHERE service_id = $1::uuid)
UPDATE skylark.services SET deleted_at = now(), updated_at = now() WHERE id = $1::uuid
