-- Notes what the volumes of the service $1 are made of, as its spec's volumes ($2) say. What was noted before stays; an entry
-- that was changed since has another number, and is left out.
-- parameters: service_id, volumes
INSERT INTO skylark.kept_volumes (service_id, app_volume_dir, number, volume_type, size_gb, driver, options)
SELECT v.service_id, v.app_volume_dir, v.id, v.volume_type, v.size_gb, m.driver, m.options
FROM jsonb_to_recordset($2::jsonb) AS m (id bigint, driver text, options jsonb)
JOIN skylark.volumes v ON v.id = m.id AND v.service_id = $1::uuid
ON CONFLICT (service_id, app_volume_dir) DO NOTHING
