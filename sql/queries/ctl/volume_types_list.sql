-- What each volume_type of the API is on the engine, whether its size is enforced, and how many volumes services have of it.
-- columns: name, driver, options, size_enforced, volumes
SELECT t.name, t.driver, t.options, t.size_enforced,
       (SELECT count(*) FROM skylark.volumes v WHERE v.volume_type = t.name) AS volumes
FROM skylark.volume_types t
ORDER BY t.name
