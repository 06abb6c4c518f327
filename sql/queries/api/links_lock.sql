-- Holds the links of the namespace $1 until the transaction ends: who changes them, or deletes what they may lead to, waits
-- for each other, so that what each checks stays true until it is committed.
-- parameters: namespace_id
-- columns: locked
SELECT pg_advisory_xact_lock(hashtextextended('skylark.links', $1::bigint)) AS locked
