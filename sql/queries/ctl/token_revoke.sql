-- Refuses the token $1 from now on.
-- parameters: token_id
UPDATE skylark.api_tokens SET revoked_at = now() WHERE id = $1::bigint AND revoked_at IS NULL
