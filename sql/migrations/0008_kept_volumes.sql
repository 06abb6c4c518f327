-- What is on the engine stays what it is: volumes with what they were made of. And a front's fault about one endpoint stands
-- with that one's service.

CREATE TABLE skylark.kept_volumes (
    service_id uuid NOT NULL REFERENCES skylark.services ON DELETE CASCADE,
    app_volume_dir text NOT NULL,
    number bigint NOT NULL UNIQUE,
    volume_type text NOT NULL,
    size_gb integer NOT NULL,
    driver text NOT NULL,
    options jsonb NOT NULL CHECK (jsonb_typeof(options) = 'object'),
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (service_id, app_volume_dir)
);
COMMENT ON TABLE skylark.kept_volumes IS 'What a service has on the engine for a directory, from its first instance until it is deleted, mounted or not. Written by the deployer only.';
COMMENT ON COLUMN skylark.kept_volumes.service_id IS 'Whose.';
COMMENT ON COLUMN skylark.kept_volumes.app_volume_dir IS 'Where instances mount it, while volumes has an entry for it.';
COMMENT ON COLUMN skylark.kept_volumes.number IS 'The number in its names on the engine: id of the entry in volumes that it was first made for.';
COMMENT ON COLUMN skylark.kept_volumes.volume_type IS 'Type that it was made by.';
COMMENT ON COLUMN skylark.kept_volumes.size_gb IS 'Size that it was made with, in GiB.';
COMMENT ON COLUMN skylark.kept_volumes.driver IS 'What the type was on the engine then, and still is for this volume in slots that get theirs later.';
COMMENT ON COLUMN skylark.kept_volumes.options IS 'Options of the driver, likewise.';
COMMENT ON COLUMN skylark.kept_volumes.made_at IS 'When.';
INSERT INTO skylark.kept_volumes (service_id, app_volume_dir, number, volume_type, size_gb, driver, options)
SELECT v.service_id, v.app_volume_dir, v.id, v.volume_type, v.size_gb, t.driver, t.options
FROM skylark.volumes v
JOIN skylark.volume_types t ON t.name = v.volume_type
WHERE EXISTS (SELECT FROM skylark.instances i WHERE i.service_id = v.service_id AND i.container_id IS NOT NULL);
COMMENT ON TABLE skylark.volume_types IS 'What each volume_type of the API is on the engine. Edit with `skylarkctl volume-type`; entries of volumes whose first instance is made afterwards follow.';

ALTER TABLE skylark.fronts
    ADD COLUMN endpoint_faults jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(endpoint_faults) = 'object');
COMMENT ON COLUMN skylark.fronts.endpoint_faults IS 'Endpoints that are left out of the routes it serves: {service id: why}.';
CREATE OR REPLACE VIEW skylark.live_fronts AS
SELECT f.name, f.applied_snapshot, f.busy, f.fault, f.endpoint_faults
FROM skylark.fronts f
WHERE f.observed_at > now() - interval '30 seconds';
COMMENT ON COLUMN skylark.live_fronts.endpoint_faults IS 'As in fronts.';

-- Skylark's own variable, which a client that writes back what it has read sends as if it were one of its own.
DELETE FROM skylark.envvars WHERE name = '__DEFAULT_DOMAIN_NAME__';

CREATE TRIGGER installation_host_names_routes AFTER UPDATE ON skylark.installation
    FOR EACH ROW WHEN (OLD.host_names <> NEW.host_names) EXECUTE FUNCTION skylark.routes_changed();

GRANT SELECT ON skylark.kept_volumes TO skylark_api, skylark_deployer, skylark_dba;
GRANT INSERT ON skylark.kept_volumes TO skylark_deployer;
