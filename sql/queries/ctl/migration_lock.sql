-- One skylarkctl migrate at a time; held until the session ends.
-- columns: locked
SELECT pg_advisory_lock(hashtextextended('skylark.migrate', 0)) AS locked
