-- Takes back what login_attempt counted for the user $1, named $2, at the address prefix $3, and notes that address.
-- parameters: user_id, user_name, address
-- columns: done
SELECT skylark.login_succeeded($1::bigint, $2::text, $3::text) AS done
