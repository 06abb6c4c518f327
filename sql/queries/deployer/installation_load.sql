-- Whose containers these are, and on which engine they have to be.
SELECT id, COALESCE(engine_id, '') FROM skylark.installation WHERE only_row
