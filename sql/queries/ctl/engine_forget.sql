-- Forgets which engine runs the instances.
UPDATE skylark.installation
SET engine_id = NULL, engine_recorded_at = NULL
WHERE only_row AND engine_id IS NOT NULL
