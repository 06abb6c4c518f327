-- hot
-- The regions that services of the namespace $2 can be in, for the token with hash $1: this installation is the one.
-- parameters: token_hash, namespace
-- columns: token_id, user_name, granted, token_unmarked, document
SELECT a.token_id, a.user_name, a.granted, a.token_unmarked,
       json_build_array(json_build_object('id', g.id, 'name', g.region_name, 'display_name', g.region_name))::text AS document
FROM skylark.access($1::bytea, $2::text) a
CROSS JOIN skylark.installation g
