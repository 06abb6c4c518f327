-- Asks for a pull of the image $1, if none is under way, and wakes the pullers.
-- parameters: image_ref
-- columns: notified
WITH asked AS (
    INSERT INTO skylark.image_pulls AS p (image_ref) VALUES ($1::text)
    ON CONFLICT (image_ref) DO UPDATE SET state = 'wanted', requested_at = now(), progress = ''
    WHERE p.state IN ('done', 'failed')
    RETURNING image_ref)
SELECT pg_notify('skylark_pulls', image_ref) AS notified FROM asked
