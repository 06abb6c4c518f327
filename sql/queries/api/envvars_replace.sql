-- Makes the environment of the service $1 exactly the object $2; variables that stay the same are not touched. Skylark's own
-- variable, which whoever writes back what was read sends as well, is left out.
-- parameters: service_id, wanted
WITH wanted AS (SELECT key AS name, value FROM jsonb_each_text($2::jsonb) WHERE key <> '__DEFAULT_DOMAIN_NAME__'),
     gone AS (DELETE FROM skylark.envvars e
              WHERE e.service_id = $1::uuid AND NOT EXISTS (SELECT FROM wanted w WHERE w.name = e.name))
INSERT INTO skylark.envvars AS e (service_id, name, value)
SELECT $1::uuid, w.name, w.value FROM wanted w
ON CONFLICT (service_id, name) DO UPDATE SET value = EXCLUDED.value WHERE e.value <> EXCLUDED.value
