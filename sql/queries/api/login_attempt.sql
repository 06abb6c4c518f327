-- one row
-- Counts an attempt of the user $1 at the address prefix $2 to log in, before the password is looked at, so that many at once
-- count as many. With $3 attempts of everybody in a minute that did not end well, only addresses that a user has logged in from
-- before may go on. refused_seconds: for so long logins are refused; 0: go on, with nulls for a user that is not there.
-- parameters: user_name, address, per_minute
-- columns: refused_seconds, user_id, password_hash, password_changed_at
SELECT refused_seconds, user_id, password_hash, password_changed_at
FROM skylark.login_attempt($1::text, $2::text, $3::integer)
