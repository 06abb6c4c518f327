-- Takes back what login_attempt counted: $1 (user name and address) is forgotten, $2 (address) goes down by one. Also
-- forgets what is over.
-- parameters: by_user, by_address
WITH forgotten AS (
         DELETE FROM skylark.login_failures
         WHERE subject = $1::text OR (subject = $2::text AND failures <= 1) OR last_at < now() - interval '1 hour'
         RETURNING subject)
UPDATE skylark.login_failures
SET failures = failures - 1
WHERE subject = $2::text AND failures > 1 AND NOT EXISTS (SELECT FROM forgotten f WHERE f.subject = $2::text)
