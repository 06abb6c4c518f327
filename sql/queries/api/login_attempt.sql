-- Counts an attempt to log in before the password is looked at, so that many at once count as many. $1: user name
-- and address, $2: address. Returns for how many seconds logins are refused; 0: go on. After 5 failures of a user
-- name from one address, or 20 of an address, each further one doubles the wait, up to 15 minutes.
-- parameters: by_user, by_address
-- columns: refused_seconds
WITH limits AS (
         SELECT $1::text AS subject, 5 AS free
         UNION ALL
         SELECT $2::text, 20),
     refused AS (
         SELECT max(ceil(extract(epoch FROM
                    f.last_at + LEAST(900, power(2, LEAST(f.failures - l.free, 12))) * interval '1 second' - now()))) AS seconds
         FROM limits l
         JOIN skylark.login_failures f USING (subject)
         WHERE f.failures >= l.free AND f.last_at > now() - interval '15 minutes'),
     counted AS (
         INSERT INTO skylark.login_failures AS f (subject, failures, first_at, last_at)
         SELECT l.subject, 1, now(), now() FROM limits l, refused r WHERE COALESCE(r.seconds, 0) <= 0
         ON CONFLICT (subject) DO UPDATE
         SET failures = CASE WHEN f.last_at < now() - interval '15 minutes' THEN 1 ELSE f.failures + 1 END,
             first_at = CASE WHEN f.last_at < now() - interval '15 minutes' THEN now() ELSE f.first_at END,
             last_at = now())
SELECT GREATEST(COALESCE(seconds, 0), 0)::integer AS refused_seconds FROM refused
