-- hot
-- Who a token is ($1: its hash, bytea) and what it may do in the namespace $2 (null: none is meant). Notes
-- the request id $3 for the triggers of this transaction.
-- parameters: token_hash, namespace, request_id
-- columns: token_id, user_name, granted, token_unmarked, namespace_id, request_id
SELECT a.token_id, a.user_name, a.granted, a.token_unmarked, a.namespace_id,
       set_config('skylark.request_id', $3::text, true) AS request_id
FROM skylark.access($1::bytea, $2::text) a
