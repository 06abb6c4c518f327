-- Ends the pass of the deployer $2 over the service $1: due again in $4 milliseconds (null: only when woken), or at once
-- when there was another reason to look since ($3: wakes as claimed). $5: failed passes in a row.
-- parameters: service_id, deployer, wakes, due_in_ms, failures
UPDATE skylark.reconcile_queue
SET lease_owner = NULL, lease_until = NULL, failures = $5::integer,
    due_at = CASE WHEN wakes <> $3::bigint THEN now()
                  WHEN $4::bigint IS NULL THEN 'infinity'
                  ELSE now() + $4::bigint * interval '1 millisecond' END
WHERE service_id = $1::uuid AND lease_owner = $2::text
