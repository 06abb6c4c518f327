-- Records the engine $1 as the one of this installation, if none is recorded yet.
-- parameters: engine_id
UPDATE skylark.installation
SET engine_id = $1::text, engine_recorded_at = now()
WHERE only_row AND engine_id IS NULL
