-- Notes that the token $1 was used, once a minute at most; by that, one with an idle_limit stays valid.
-- parameters: token_id
UPDATE skylark.api_tokens
SET last_used_at = now()
WHERE id = $1::bigint AND (last_used_at IS NULL OR last_used_at < now() - LEAST(interval '1 minute', idle_limit / 4))
