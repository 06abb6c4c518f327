-- One skylarkctl migrate at a time; held until the session ends.
SELECT pg_advisory_lock(hashtextextended('skylark.migrate', 0))
