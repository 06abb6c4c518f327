-- hot
-- The nodes of the region $3 that run instances, for the token with hash $1 in the namespace $2; null when there is no such region.
-- SLAVE is the word of 2015 for a node that does. total_mem in MiB. What the engine has not told yet is left out.
-- parameters: token_hash, namespace, region
-- columns: token_id, user_name, granted, token_unmarked, document
SELECT a.token_id, a.user_name, a.granted, a.token_unmarked,
       CASE WHEN g.region_name = $3::text THEN (
           SELECT COALESCE(json_agg(json_build_object(
                      'type', 'SLAVE', 'private_ip', COALESCE(host(e.address), ''),
                      'resources', CASE WHEN e.cpus > 0
                                        THEN json_build_object('total_cpus', e.cpus, 'total_mem', e.memory_bytes / 1048576)
                                        ELSE '{}'::json END)), '[]'::json)
           FROM skylark.engines e
           WHERE e.engine_id = g.engine_id)::text END AS document
FROM skylark.access($1::bytea, $2::text) a
CROSS JOIN skylark.installation g
