-- Makes the volumes of the service $1 exactly the array $2; entries that stay the same are not touched, and a
-- volume keeps its identity, and so its data, as long as its app_volume_dir stays.
WITH wanted AS (SELECT v.*
                FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS e (entry, position)
                CROSS JOIN LATERAL jsonb_to_record(e.entry)
                    AS v (app_volume_dir text, volume_type text, size_gb integer)
                ORDER BY e.position),
     gone AS (DELETE FROM skylark.volumes v
              WHERE v.service_id = $1::uuid
                AND NOT EXISTS (SELECT FROM wanted w WHERE w.app_volume_dir = v.app_volume_dir))
INSERT INTO skylark.volumes AS v (service_id, app_volume_dir, volume_type, size_gb)
SELECT $1::uuid, w.app_volume_dir, w.volume_type, w.size_gb FROM wanted w
ON CONFLICT (service_id, app_volume_dir) DO UPDATE
SET volume_type = EXCLUDED.volume_type, size_gb = EXCLUDED.size_gb
WHERE (v.volume_type, v.size_gb) <> (EXCLUDED.volume_type, EXCLUDED.size_gb)
