-- Makes the volume type $1 volumes of the engine's driver $2 with the options $3.
-- parameters: name, driver, options
INSERT INTO skylark.volume_types (name, driver, options) VALUES ($1::text, $2::text, $3::jsonb)
ON CONFLICT (name) DO UPDATE SET driver = EXCLUDED.driver, options = EXCLUDED.options
