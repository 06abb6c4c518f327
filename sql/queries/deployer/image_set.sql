-- Notes that the generation $2 of the service $1 runs the image $3, with the note $4 for its user (null image: not known).
UPDATE skylark.service_status
SET image_generation = CASE WHEN $3::text IS NOT NULL THEN $2::bigint END, image_id = $3::text, image_note = $4::text
WHERE service_id = $1::uuid
