-- What is on the engine stays what it is: volumes with what they were made of. A front's fault about one endpoint stands with
-- that one's service. And no instance is told to end while a front may still send it requests.

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
WHERE f.applied_snapshot IS NOT NULL AND f.observed_at > now() - interval '30 seconds';
COMMENT ON VIEW skylark.live_fronts IS 'Fronts that serve, and whose router reports. A change is served once it is by each of them.';
COMMENT ON COLUMN skylark.live_fronts.endpoint_faults IS 'As in fronts.';
COMMENT ON COLUMN skylark.fronts.observed_at IS 'When its router last reported. One that is silent for over 30 seconds is not waited for while another one lives.';

CREATE VIEW skylark.front_state AS
SELECT count(*) > 0 AS known, count(l.name) > 0 AS live,
       CASE WHEN count(l.name) > 0 THEN string_agg(l.name || ': ' || l.fault, '; ' ORDER BY l.name) FILTER (WHERE l.fault <> '')
            WHEN count(*) FILTER (WHERE f.observed_at > now() - interval '30 seconds') > 0
            THEN string_agg(f.name || ': ' || f.fault, '; ' ORDER BY f.name)
                 FILTER (WHERE f.fault <> '' AND f.observed_at > now() - interval '30 seconds')
            WHEN count(*) > 0
            THEN 'no skylark-router has reported since ' || skylark.iso_time(max(f.observed_at)) END AS fault
FROM skylark.fronts f
LEFT JOIN skylark.live_fronts l ON l.name = f.name;
COMMENT ON VIEW skylark.front_state IS 'All fronts in one row.';
COMMENT ON COLUMN skylark.front_state.known IS 'Whether there are any. As long as there are none, nothing waits for one.';
COMMENT ON COLUMN skylark.front_state.live IS 'Whether any serves, and reports.';
COMMENT ON COLUMN skylark.front_state.fault IS 'Why the latest routes are not served; null when they are.';

ALTER TABLE skylark.instances ADD COLUMN unrouted_at timestamptz;
COMMENT ON COLUMN skylark.instances.ready_at IS 'Since when it takes requests: its ports have answered, or its image''s health check says healthy; null while that says unhealthy.';
COMMENT ON COLUMN skylark.instances.unrouted_at IS 'When every front had stopped to send it requests: from then on its connections have time to end.';

-- Skylark's own variable, which a client that writes back what it has read sends as if it were one of its own.
DELETE FROM skylark.envvars WHERE name = '__DEFAULT_DOMAIN_NAME__';

CREATE TRIGGER installation_host_names_routes AFTER UPDATE ON skylark.installation
    FOR EACH ROW WHEN (OLD.host_names <> NEW.host_names) EXECUTE FUNCTION skylark.routes_changed();

GRANT SELECT ON skylark.kept_volumes, skylark.front_state TO skylark_api, skylark_deployer, skylark_dba;
GRANT INSERT ON skylark.kept_volumes TO skylark_deployer;
