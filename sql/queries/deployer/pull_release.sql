-- Gives the pull of the image $1 by the deployer $2 back undone, and wakes another puller.
-- parameters: image_ref, deployer
-- columns: notified
UPDATE skylark.image_pulls
SET state = 'wanted', progress = '', lease_owner = NULL, lease_until = NULL
WHERE image_ref = $1::text AND lease_owner = $2::text
RETURNING pg_notify('skylark_pulls', image_ref) AS notified
