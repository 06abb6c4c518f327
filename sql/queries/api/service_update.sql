-- Changes the service $1 by the checked fields in $2; a field that is absent stays.
-- parameters: service_id, fields
UPDATE skylark.services s
SET image_name = COALESCE(f.image_name, s.image_name),
    image_tag = COALESCE(f.image_tag, s.image_tag),
    run_command = COALESCE(f.run_command, s.run_command),
    instance_size = COALESCE(f.instance_size, s.instance_size),
    scaling_mode = COALESCE(f.scaling_mode, s.scaling_mode),
    target_state = COALESCE(f.target_state, s.target_state),
    target_num_instances = COALESCE(f.target_num_instances, s.target_num_instances),
    updated_at = now()
FROM jsonb_to_record($2::jsonb) AS f (image_name text, image_tag text, run_command text, instance_size text,
                                      scaling_mode text, target_state text, target_num_instances integer)
WHERE s.id = $1::uuid
