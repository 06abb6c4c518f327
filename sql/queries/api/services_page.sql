-- hot
-- The documents of a page of the services in the namespace $1, newest first, a row each, so that a page of large ones can be given up.
-- $2: page size, $3: how many to pass over, $4: the newest seq that counts, $5: target_state (null: any), $6: prefix of the
-- name (null: any).
-- parameters: namespace_id, page_size, offset, as_of, target_state, prefix
-- columns: document
SELECT d.document::text AS document
FROM skylark.service_documents d
WHERE d.namespace_id = $1::bigint AND d.seq <= $4::bigint
  AND ($5::text IS NULL OR d.target_state = $5::text)
  AND ($6::text IS NULL OR starts_with(d.service_name, $6::text))
ORDER BY d.seq DESC
LIMIT $2::bigint OFFSET $3::bigint
