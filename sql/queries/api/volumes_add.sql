-- Makes the volumes of the service $1 the array $2, after volumes_remove; entries that stay the same are not touched.
-- parameters: service_id, wanted
INSERT INTO skylark.volumes AS v (service_id, app_volume_dir, volume_type, size_gb)
SELECT $1::uuid, w.app_volume_dir, w.volume_type, w.size_gb
FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS e (entry, position)
CROSS JOIN LATERAL jsonb_to_record(e.entry) AS w (app_volume_dir text, volume_type text, size_gb integer)
ORDER BY e.position
ON CONFLICT (service_id, app_volume_dir) DO UPDATE
SET volume_type = EXCLUDED.volume_type, size_gb = EXCLUDED.size_gb
WHERE (v.volume_type, v.size_gb) <> (EXCLUDED.volume_type, EXCLUDED.size_gb)
