-- hot
-- How many services are in the namespace $2, for the token with hash $1, and the newest seq of them. $3: the newest seq that counts
-- (null: all), $4: target_state (null: any), $5: prefix of the name (null: any). Also the id of the namespace, for services_page,
-- and the region.
-- parameters: token_hash, namespace, as_of, target_state, prefix
-- columns: token_id, user_name, granted, token_unmarked, namespace_id, count, newest, region_name
SELECT a.token_id, a.user_name, a.granted, a.token_unmarked, a.namespace_id, total.count, total.newest,
       (SELECT g.region_name FROM skylark.installation g) AS region_name
FROM skylark.access($1::bytea, $2::text) a
CROSS JOIN LATERAL (
    SELECT count(*) AS count, COALESCE(max(s.seq), 0) AS newest
    FROM skylark.services s
    WHERE s.namespace_id = a.namespace_id AND s.deleted_at IS NULL
      AND ($3::bigint IS NULL OR s.seq <= $3::bigint)
      AND ($4::text IS NULL OR s.target_state = $4::text)
      AND ($5::text IS NULL OR starts_with(s.name, $5::text))) total
