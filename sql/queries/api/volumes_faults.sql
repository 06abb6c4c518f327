-- What is wrong with the volumes $2 of the service $1 (null: a new one), as faults of the body: types that are not there,
-- and what can't be changed of a volume that is on the engine already, mounted or not.
-- parameters: service_id, wanted
-- columns: field, fault
SELECT 'volumes[' || e.position - 1 || '].' || f.field AS field, f.fault
FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS e (entry, position)
CROSS JOIN LATERAL jsonb_to_record(e.entry) AS w (app_volume_dir text, volume_type text, size_gb integer)
LEFT JOIN skylark.volume_types t ON t.name = w.volume_type
LEFT JOIN skylark.kept_volumes k ON k.service_id = $1::uuid AND k.app_volume_dir = w.app_volume_dir
CROSS JOIN LATERAL (
    SELECT 'volume_type' AS field,
           'must be one of ' || (SELECT string_agg(a.name, ', ' ORDER BY a.name) FROM skylark.volume_types a) AS fault
    WHERE t.name IS NULL AND w.volume_type IS NOT NULL
    UNION ALL
    SELECT 'volume_type', 'can''t be changed from ' || k.volume_type || ': what the service wrote in this app_volume_dir is kept'
    WHERE t.name IS NOT NULL AND k.volume_type <> w.volume_type
    UNION ALL
    SELECT 'size_gb', 'can''t be changed from ' || k.size_gb || ': a volume keeps the size that it was made with'
    WHERE k.options::text LIKE '%{size_gb}%' AND k.volume_type = w.volume_type AND k.size_gb <> w.size_gb) f
ORDER BY e.position
