-- hot
-- A page of the services in the namespace $2, newest first, for the token with hash $1. $3: page size, $4:
-- how many to pass over, $5: the newest seq that counts (null: all), $6: target_state (null: any), $7: prefix
-- of the name (null: any). Returns the page as a JSON array, how many there are in all, the newest seq, and the region.
-- parameters: token_hash, namespace, page_size, offset, as_of, target_state, prefix
-- columns: token_id, user_name, granted, token_unmarked, results, count, newest, region_name
SELECT a.token_id, a.user_name, a.granted, a.token_unmarked, page.results, total.count, total.newest,
       (SELECT g.region_name FROM skylark.installation g) AS region_name
FROM skylark.access($1::bytea, $2::text) a
CROSS JOIN LATERAL (
    SELECT count(*) AS count, COALESCE(max(s.seq), 0) AS newest
    FROM skylark.services s
    WHERE s.namespace_id = a.namespace_id AND s.deleted_at IS NULL
      AND ($5::bigint IS NULL OR s.seq <= $5::bigint)
      AND ($6::text IS NULL OR s.target_state = $6::text)
      AND ($7::text IS NULL OR starts_with(s.name, $7::text))) total
CROSS JOIN LATERAL (
    SELECT COALESCE(json_agg(p.document ORDER BY p.seq DESC), '[]'::json)::text AS results
    FROM (SELECT d.document, d.seq
          FROM skylark.service_documents d
          WHERE d.namespace_id = a.namespace_id
            AND ($5::bigint IS NULL OR d.seq <= $5::bigint)
            AND ($6::text IS NULL OR d.target_state = $6::text)
            AND ($7::text IS NULL OR starts_with(d.service_name, $7::text))
          ORDER BY d.seq DESC
          LIMIT $3::bigint OFFSET $4::bigint) p) page
