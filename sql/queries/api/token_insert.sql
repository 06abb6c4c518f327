-- A new token of the user $1: hash $2 (bytea), first characters $3, valid for $4 milliseconds (0: for ever).
-- parameters: user_id, token_hash, token_prefix, lifetime_ms
INSERT INTO skylark.api_tokens (user_id, token_hash, token_prefix, description, expires_at)
VALUES ($1::bigint, $2::bytea, $3::text, 'generate-api-token',
        CASE WHEN $4::bigint > 0 THEN now() + $4::bigint * interval '1 millisecond' END)
