-- hot
-- Takes the pull that has been wanted longest, or one whose deployer is gone, under a lease of $2 milliseconds for $1.
-- parameters: deployer, lease_ms
-- columns: image_ref
WITH open AS (
    SELECT p.image_ref
    FROM skylark.image_pulls p
    WHERE p.state IN ('wanted', 'pulling') AND (p.lease_until IS NULL OR p.lease_until < now())
    ORDER BY p.requested_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED)
UPDATE skylark.image_pulls p
SET state = 'pulling', progress = '', lease_owner = $1::text, lease_until = now() + $2::bigint * interval '1 millisecond'
FROM open
WHERE p.image_ref = open.image_ref
RETURNING p.image_ref
