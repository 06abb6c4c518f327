-- one row
-- A new token of the user $1: hash $3 (bytea), first characters $4, refused once nobody has used it for $5 milliseconds (0: no such
-- rule). Not issued if the password is no longer that of the time $2, or the user is disabled.
-- parameters: user_id, password_changed_at, token_hash, token_prefix, idle_ms
-- columns: issued
SELECT skylark.token_issue($1::bigint, $2::timestamptz, $3::bytea, $4::text,
                           NULLIF($5::bigint, 0) * interval '1 millisecond') AS issued
