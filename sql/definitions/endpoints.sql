-- How services are reached: names, routes, fronts.
-- after: times

COMMENT ON TABLE skylark.fronts IS 'The nginx of each host that serves services, and which routes it serves. Written by its skylark-router only.';
COMMENT ON COLUMN skylark.fronts.name IS 'Name of the host, or as the router''s setting says.';
COMMENT ON COLUMN skylark.fronts.applied_snapshot IS 'The state of the database whose routes it serves: every change that this sees is served.';
COMMENT ON COLUMN skylark.fronts.applied_at IS 'When that began.';
COMMENT ON COLUMN skylark.fronts.servers IS 'Instances that it sends requests to.';
COMMENT ON COLUMN skylark.fronts.busy IS 'Instances that get no more requests but still hold connections of it.';
COMMENT ON COLUMN skylark.fronts.fault IS 'Why newer routes are not served, in nginx''s words; empty when all is well.';
COMMENT ON COLUMN skylark.fronts.fault_since IS 'Since when.';
COMMENT ON COLUMN skylark.fronts.observed_at IS 'When its router last reported. One that is silent for over 30 seconds is not waited for while another one lives.';
COMMENT ON COLUMN skylark.fronts.endpoint_faults IS 'Endpoints that are left out of the routes it serves: {service id: why}.';

CREATE FUNCTION skylark.endpoint_domain(p_service_id uuid, p_port_id bigint, p_container_port integer, p_endpoint_type text,
                                        p_name text, p_label text, p_base_domain text) RETURNS text
    LANGUAGE sql STABLE
    RETURN CASE WHEN p_endpoint_type = 'internal-endpoint' THEN p_name
                WHEN p_endpoint_type = 'http-endpoint'
                     AND EXISTS (SELECT FROM skylark.ports f
                                 WHERE f.service_id = p_service_id AND f.endpoint_type = 'http-endpoint' AND f.id < p_port_id)
                THEN p_container_port || '.' || p_label || '.' || p_base_domain
                ELSE p_label || '.' || p_base_domain END;
COMMENT ON FUNCTION skylark.endpoint_domain IS 'Default domain of a port: the service''s own; further http-endpoints of one service have their container port in front of it. Of an internal-endpoint: the service''s name, which linked instances resolve.';

CREATE VIEW skylark.live_fronts AS
SELECT f.name, f.applied_snapshot, f.busy, f.fault, f.endpoint_faults
FROM skylark.fronts f
WHERE f.applied_snapshot IS NOT NULL AND f.observed_at > now() - interval '30 seconds';
COMMENT ON VIEW skylark.live_fronts IS 'Fronts that serve, and whose router reports. A change is served once it is by each of them.';
COMMENT ON COLUMN skylark.live_fronts.name IS 'As in fronts.';
COMMENT ON COLUMN skylark.live_fronts.applied_snapshot IS 'As in fronts.';
COMMENT ON COLUMN skylark.live_fronts.busy IS 'As in fronts.';
COMMENT ON COLUMN skylark.live_fronts.fault IS 'As in fronts.';
COMMENT ON COLUMN skylark.live_fronts.endpoint_faults IS 'As in fronts.';

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

-- Everything that changes what a front serves wakes the routers.
CREATE FUNCTION skylark.routes_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    PERFORM pg_notify('skylark_routes', '');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.routes_changed IS 'Wakes the routers (NOTIFY skylark_routes).';
CREATE TRIGGER ports_routes AFTER INSERT OR UPDATE OR DELETE ON skylark.ports
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.routes_changed();
CREATE TRIGGER custom_domains_routes AFTER INSERT OR UPDATE OR DELETE ON skylark.custom_domains
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.routes_changed();
CREATE TRIGGER services_routes AFTER UPDATE ON skylark.services
    FOR EACH ROW WHEN ((OLD.deleted_at, OLD.domain_label) IS DISTINCT FROM (NEW.deleted_at, NEW.domain_label))
    EXECUTE FUNCTION skylark.routes_changed();
CREATE TRIGGER installation_routes AFTER UPDATE ON skylark.installation
    FOR EACH ROW WHEN (OLD.base_domain <> NEW.base_domain) EXECUTE FUNCTION skylark.routes_changed();
CREATE TRIGGER installation_host_names_routes AFTER UPDATE ON skylark.installation
    FOR EACH ROW WHEN (OLD.host_names <> NEW.host_names) EXECUTE FUNCTION skylark.routes_changed();

CREATE FUNCTION skylark.instances_route_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    NEW.route_xid := pg_current_xact_id();
    PERFORM pg_notify('skylark_routes', '');
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION skylark.instances_route_changed IS 'Notes the transaction in which an instance became, or ceased to be, one to send requests to, and wakes the routers.';
CREATE TRIGGER instances_route_changed BEFORE UPDATE ON skylark.instances
    FOR EACH ROW
    WHEN ((OLD.state = 'running' AND OLD.ready_at IS NOT NULL AND OLD.unroute_requested_at IS NULL, OLD.address)
          IS DISTINCT FROM
          (NEW.state = 'running' AND NEW.ready_at IS NOT NULL AND NEW.unroute_requested_at IS NULL, NEW.address))
    EXECUTE FUNCTION skylark.instances_route_changed();
