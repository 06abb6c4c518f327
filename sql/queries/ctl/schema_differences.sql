-- What of the definitions was changed by hand, in words.
-- columns: difference
SELECT d.kind || ' ' || d.name || ' ' || d.what AS difference FROM skylark.schema_differences d ORDER BY d.kind, d.name
