-- Notes that the token $1 was used, once a minute at most; by that, one with an idle_limit stays valid. Does not wait for whoever
-- has its row locked: the next use is noted.
-- parameters: token_id
UPDATE skylark.api_tokens t
SET last_used_at = now()
FROM (SELECT u.id
      FROM skylark.api_tokens u
      WHERE u.id = $1::bigint
        AND (u.last_used_at IS NULL OR u.last_used_at < now() - LEAST(interval '1 minute', u.idle_limit / 4))
      FOR NO KEY UPDATE SKIP LOCKED) used
WHERE t.id = used.id
