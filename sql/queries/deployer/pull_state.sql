-- hot
-- How the pull of the image $2 for the service $1 stands: state, whether it ended after the service's latest change, the
-- image's id, error, progress, and milliseconds until a failed one may be tried again (5 s, doubled up to 5 minutes).
-- parameters: service_id, image_ref
-- columns: state, fresh, image_id, error, progress, retry_ms
SELECT p.state, COALESCE(p.finished_at > s.updated_at, false) AS fresh, COALESCE(p.image_id, '') AS image_id, p.error, p.progress,
       GREATEST(extract(epoch FROM p.finished_at + LEAST(300, 5 * power(2, LEAST(p.failures, 10) - 1)) * interval '1 second' - now())
                * 1000, 0)::bigint AS retry_ms
FROM skylark.image_pulls p
JOIN skylark.services s ON s.id = $1::uuid
WHERE p.image_ref = $2::text
