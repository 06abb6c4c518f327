-- Notes that the generation $2 of the service $1 runs the image $3, with the note $4 for its user (null image: not known), if
-- the deployer $5 still holds the lease.
-- parameters: service_id, generation, image_id, note, deployer
UPDATE skylark.service_status st
SET image_generation = CASE WHEN $3::text IS NOT NULL THEN $2::bigint END, image_id = $3::text, image_note = $4::text
FROM skylark.reconcile_queue q
WHERE st.service_id = $1::uuid AND q.service_id = st.service_id AND q.lease_owner = $5::text AND q.lease_until > now()
