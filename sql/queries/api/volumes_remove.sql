-- Removes the entries of the service $1 that are not in the array $2; and those that are there in another form and were never
-- made: volumes_add gives them a new number, so that none is made of two forms.
-- parameters: service_id, wanted
DELETE FROM skylark.volumes v
WHERE v.service_id = $1::uuid
  AND NOT EXISTS (SELECT FROM jsonb_to_recordset($2::jsonb) AS w (app_volume_dir text, volume_type text, size_gb integer)
                  WHERE w.app_volume_dir = v.app_volume_dir
                    AND ((w.volume_type, w.size_gb) = (v.volume_type, v.size_gb)
                         OR EXISTS (SELECT FROM skylark.kept_volumes k
                                    WHERE k.service_id = v.service_id AND k.app_volume_dir = v.app_volume_dir)))
