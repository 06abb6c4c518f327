-- Notes how far the pull of the image $1 by the deployer $2 is ($3, for people), keeps its lease for $4 milliseconds, and
-- shows it to the services that wait for it.
-- parameters: image_ref, deployer, progress, lease_ms
WITH pull AS (
    UPDATE skylark.image_pulls
    SET progress = $3::text, lease_until = now() + $4::bigint * interval '1 millisecond'
    WHERE image_ref = $1::text AND lease_owner = $2::text
    RETURNING image_ref, progress)
UPDATE skylark.service_status st
SET message = 'Pulling ' || pull.image_ref || ': ' || pull.progress || '.'
FROM pull, skylark.services s
WHERE s.image_name || ':' || s.image_tag = pull.image_ref AND s.deleted_at IS NULL AND s.target_state = 'STARTED'
  AND st.service_id = s.id AND st.image_generation IS DISTINCT FROM s.generation
