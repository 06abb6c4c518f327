-- Removes the volume type $1, unless a service has a volume of it.
-- parameters: name
DELETE FROM skylark.volume_types WHERE name = $1::text
