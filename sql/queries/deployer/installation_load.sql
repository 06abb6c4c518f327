-- one row
-- Whose containers these are, and on which engine they have to be.
-- columns: installation_id, engine_id
SELECT id AS installation_id, COALESCE(engine_id, '') AS engine_id FROM skylark.installation WHERE only_row
