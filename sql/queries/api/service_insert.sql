-- A new service with id $1 in the namespace $2, created by the user $3, from the checked fields in $4.
-- parameters: service_id, namespace_id, user_name, fields
INSERT INTO skylark.services (id, namespace_id, created_by, name, image_name, image_tag, run_command, instance_size,
                              scaling_mode, target_state, target_num_instances)
SELECT $1::uuid, $2::bigint, $3::text, f.service_name, f.image_name, f.image_tag, f.run_command, f.instance_size,
       f.scaling_mode, f.target_state, f.target_num_instances
FROM jsonb_to_record($4::jsonb) AS f (service_name text, image_name text, image_tag text, run_command text,
                                      instance_size text, scaling_mode text, target_state text,
                                      target_num_instances integer)
