-- What users want: what the tables of 0002_services mean, and the rules that hold whoever writes them.

COMMENT ON TABLE skylark.instance_sizes IS 'What an instance of each size gets. Edit the figures at will; instances made afterwards get the new ones.';
COMMENT ON COLUMN skylark.instance_sizes.name IS 'The size''s name in the API.';
COMMENT ON COLUMN skylark.instance_sizes.cpu_millis IS 'Thousandths of a CPU; clamped to what the node has.';
COMMENT ON COLUMN skylark.instance_sizes.memory_bytes IS 'Memory limit, without swap.';
COMMENT ON COLUMN skylark.instance_sizes.pids_limit IS 'Processes and threads at most.';

COMMENT ON TABLE skylark.services IS 'What users want to run. What really runs stands in instances and service_status.';
COMMENT ON COLUMN skylark.services.id IS 'uuid and unique_name of the API: random (version 4).';
COMMENT ON COLUMN skylark.services.seq IS 'Order of creation; pages of the list are cut along it.';
COMMENT ON COLUMN skylark.services.namespace_id IS 'Whose it is.';
COMMENT ON COLUMN skylark.services.name IS 'Name in the API, unique in the namespace among services that are not deleted.';
COMMENT ON COLUMN skylark.services.domain_label IS '{service}-{namespace}: first label of the default domain name, unique over all namespaces. Set by trigger.';
COMMENT ON COLUMN skylark.services.image_name IS 'Image without its tag.';
COMMENT ON COLUMN skylark.services.image_tag IS 'Tag of the image.';
COMMENT ON COLUMN skylark.services.run_command IS 'Words of the command, quoted as a POSIX shell would; never run through a shell. Empty: the image''s own.';
COMMENT ON COLUMN skylark.services.instance_size IS 'Limits of each instance.';
COMMENT ON COLUMN skylark.services.scaling_mode IS 'MANUAL: the user sets target_num_instances; AUTO: the autoscaler does.';
COMMENT ON COLUMN skylark.services.target_state IS 'STARTED or STOPPED, as the user asked.';
COMMENT ON COLUMN skylark.services.target_num_instances IS 'How many instances are wanted while STARTED.';
COMMENT ON COLUMN skylark.services.created_by IS 'Name of the user who created it.';
COMMENT ON COLUMN skylark.services.created_at IS 'When it was created.';
COMMENT ON COLUMN skylark.services.updated_at IS 'When a user last changed it.';
COMMENT ON COLUMN skylark.services.last_autoscaled_at IS 'When the autoscaler last changed target_num_instances.';
COMMENT ON COLUMN skylark.services.last_redeployed_at IS 'When generation last rose, so that new containers took the places of the old ones. Set by trigger.';
COMMENT ON COLUMN skylark.services.generation IS 'Rises with every change that needs new containers (image, command, size, environment, ports, volumes, links). Set by triggers.';
COMMENT ON COLUMN skylark.services.revision IS 'Rises with every change of what is wanted; service_status.observed_revision follows it. Set by trigger.';
COMMENT ON COLUMN skylark.services.deleted_at IS 'When its deletion was acknowledged; the deployer removes the containers and volumes, then the row.';

COMMENT ON TABLE skylark.envvars IS 'Environment variables of a service''s instances.';
COMMENT ON COLUMN skylark.envvars.service_id IS 'Whose.';
COMMENT ON COLUMN skylark.envvars.name IS 'Name of the variable.';
COMMENT ON COLUMN skylark.envvars.value IS 'Value, 32 KiB at most.';

COMMENT ON TABLE skylark.ports IS 'Ports that a service''s instances listen on and how each is reached.';
COMMENT ON COLUMN skylark.ports.id IS 'Key; entries are shown in its order.';
COMMENT ON COLUMN skylark.ports.service_id IS 'Whose.';
COMMENT ON COLUMN skylark.ports.container_port IS 'Port inside the instance.';
COMMENT ON COLUMN skylark.ports.protocol IS 'tcp or udp.';
COMMENT ON COLUMN skylark.ports.endpoint_type IS 'How it is reached.';
COMMENT ON COLUMN skylark.ports.service_port IS 'Public port reserved for it; null when none is.';

COMMENT ON TABLE skylark.custom_domains IS 'The users'' own host names for their services; each leads to one service.';
COMMENT ON COLUMN skylark.custom_domains.name IS 'Host name in lower case with a dot, never an IP address. Unique over all namespaces.';
COMMENT ON COLUMN skylark.custom_domains.service_id IS 'The service it leads to.';
COMMENT ON COLUMN skylark.custom_domains.position IS 'Place in the list as the user gave it.';

COMMENT ON TABLE skylark.volume_types IS 'What each volume_type of the API is on the engine. Edit with `skylarkctl volume-type`; entries of volumes whose first instance is made afterwards follow.';
COMMENT ON COLUMN skylark.volume_types.name IS 'The type''s name in the API.';
COMMENT ON COLUMN skylark.volume_types.driver IS 'The engine''s volume driver.';
COMMENT ON COLUMN skylark.volume_types.options IS 'Options of the driver, texts; {size_gb}, {namespace}, {service} and {volume} in them become the volume''s own.';
COMMENT ON COLUMN skylark.volume_types.size_enforced IS 'Whether the driver is told the size. If not, size_gb is a wish.';

COMMENT ON TABLE skylark.volumes IS 'Volumes of a service; each instance slot has its own.';
COMMENT ON COLUMN skylark.volumes.id IS 'Key; entries are shown in its order.';
COMMENT ON COLUMN skylark.volumes.service_id IS 'Whose.';
COMMENT ON COLUMN skylark.volumes.app_volume_dir IS 'Where it is mounted in the instance.';
COMMENT ON COLUMN skylark.volumes.volume_type IS 'Kind of volume, as the user named it.';
COMMENT ON COLUMN skylark.volumes.size_gb IS 'Size asked for, in GiB.';

COMMENT ON TABLE skylark.links IS 'Which service reaches which other one of its namespace, and by what alias.';
COMMENT ON COLUMN skylark.links.namespace_id IS 'Namespace of both; a link never leaves it.';
COMMENT ON COLUMN skylark.links.service_id IS 'The service that reaches out.';
COMMENT ON COLUMN skylark.links.target_service_id IS 'The service that is reached.';
COMMENT ON COLUMN skylark.links.alias IS 'Its name as the first one sees it.';
COMMENT ON COLUMN skylark.links.variable IS 'What the names of its environment variables begin with; no two of a service''s aliases make the same.';

COMMENT ON TABLE skylark.autoscaling_settings IS 'Thresholds by which the count of a service is decided.';
COMMENT ON COLUMN skylark.autoscaling_settings.service_id IS 'Whose.';
COMMENT ON COLUMN skylark.autoscaling_settings.metric_name IS 'What is measured.';
COMMENT ON COLUMN skylark.autoscaling_settings.metric_stat IS 'How the samples of the window become one figure.';
COMMENT ON COLUMN skylark.autoscaling_settings.upper_threshold IS 'Above it the count rises. A fraction of the limit, or bytes per second.';
COMMENT ON COLUMN skylark.autoscaling_settings.lower_threshold IS 'Below it the count falls. A fraction of the limit, or bytes per second.';
COMMENT ON COLUMN skylark.autoscaling_settings.increase_delta IS 'Instances added at a time.';
COMMENT ON COLUMN skylark.autoscaling_settings.decrease_delta IS 'Instances taken away at a time.';
COMMENT ON COLUMN skylark.autoscaling_settings.minimum_num_instances IS 'Never fewer.';
COMMENT ON COLUMN skylark.autoscaling_settings.maximum_num_instances IS 'Never more.';
COMMENT ON COLUMN skylark.autoscaling_settings.wait_period IS 'Seconds between two actions; also the window of the metric, and the age from which an instance counts.';
COMMENT ON COLUMN skylark.autoscaling_settings.scale_up_wait_period IS 'Seconds between an action and adding instances; null: wait_period.';
COMMENT ON COLUMN skylark.autoscaling_settings.scale_down_wait_period IS 'Seconds between an action and taking instances away; null: wait_period.';
COMMENT ON COLUMN skylark.autoscaling_settings.stabilization_window IS 'The count falls no lower than the largest count recommended in these last seconds; 0: no such rule.';
COMMENT ON COLUMN skylark.autoscaling_settings.dry_run IS 'Decisions are made and recorded, and nothing is changed.';

COMMENT ON SEQUENCE skylark.service_port_turn IS 'Where in the range the next public port is looked for, so that one just given back is the last to be given out again.';

-- What a new or changed service row derives.
CREATE FUNCTION skylark.services_derive() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    NEW.domain_label := NEW.name || '-' || (SELECT n.name FROM skylark.namespaces n WHERE n.id = NEW.namespace_id);
    IF TG_OP = 'INSERT' THEN
        NEW.updated_at := LEAST(NEW.updated_at, now());
        RETURN NEW;
    END IF;
    IF (NEW.name, NEW.image_name, NEW.image_tag, NEW.run_command, NEW.instance_size)
       IS DISTINCT FROM (OLD.name, OLD.image_name, OLD.image_tag, OLD.run_command, OLD.instance_size) THEN
        NEW.generation := OLD.generation + 1;
        -- Only an image that was pulled later counts for the new generation, whoever made it.
        NEW.updated_at := now();
    ELSE
        NEW.generation := OLD.generation + (NEW.generation > OLD.generation)::integer;
        IF NEW.updated_at <> now() THEN
            NEW.updated_at := OLD.updated_at;
        END IF;
    END IF;
    -- The transaction that creates a service adds its parts, which raises the generation: that is no redeployment.
    NEW.last_redeployed_at := CASE WHEN NEW.generation > OLD.generation AND NEW.created_at < now() THEN now()
                                   ELSE OLD.last_redeployed_at END;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION skylark.services_derive IS 'Sets domain_label, raises generation, by one, when the containers must be made anew, notes when that was, and lets updated_at be the time of a change only.';
CREATE TRIGGER services_derive
    BEFORE INSERT OR UPDATE OF namespace_id, name, domain_label, image_name, image_tag, run_command, instance_size, generation,
                               updated_at, last_redeployed_at
    ON skylark.services
    FOR EACH ROW EXECUTE FUNCTION skylark.services_derive();

CREATE FUNCTION skylark.services_renamed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    WITH linking AS (
        SELECT s.id
        FROM skylark.services s
        WHERE s.id IN (SELECT l.service_id FROM skylark.links l WHERE l.target_service_id = NEW.id)
        ORDER BY s.id
        FOR NO KEY UPDATE)
    UPDATE skylark.services s SET generation = s.generation + 1 FROM linking l WHERE s.id = l.id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.services_renamed IS 'Takes a service''s new name to the instances of those that link to it.';
CREATE TRIGGER services_renamed AFTER UPDATE OF name ON skylark.services
    FOR EACH ROW WHEN (OLD.name <> NEW.name) EXECUTE FUNCTION skylark.services_renamed();

CREATE FUNCTION skylark.services_deleted() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    DELETE FROM skylark.links l WHERE l.service_id = NEW.id;
    DELETE FROM skylark.custom_domains c WHERE c.service_id = NEW.id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.services_deleted IS 'Takes away the links and custom domain names of a service that is deleted.';
CREATE TRIGGER services_deleted AFTER UPDATE OF deleted_at ON skylark.services
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION skylark.services_deleted();

-- After services_derive: triggers of one event fire in the order of their names.
CREATE FUNCTION skylark.services_revise() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    NEW.revision := OLD.revision
        + CASE WHEN (OLD.generation, OLD.target_state, OLD.target_num_instances, OLD.deleted_at)
                    IS DISTINCT FROM (NEW.generation, NEW.target_state, NEW.target_num_instances, NEW.deleted_at)
               THEN 1 ELSE 0 END;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION skylark.services_revise IS 'Raises revision when what is wanted changes, and never else.';
CREATE TRIGGER services_revise BEFORE UPDATE ON skylark.services
    FOR EACH ROW EXECUTE FUNCTION skylark.services_revise();

CREATE FUNCTION skylark.namespaces_renamed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    UPDATE skylark.services SET generation = generation + 1 WHERE namespace_id = NEW.id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.namespaces_renamed IS 'Takes a namespace''s new name into the domain names of its services, and so into their instances.';
CREATE TRIGGER namespaces_renamed AFTER UPDATE OF name ON skylark.namespaces
    FOR EACH ROW WHEN (OLD.name <> NEW.name) EXECUTE FUNCTION skylark.namespaces_renamed();

CREATE FUNCTION skylark.service_parts_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    UPDATE skylark.services s
    SET generation = s.generation + 1, updated_at = now()
    WHERE s.id IN (SELECT c.service_id FROM changed c);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.service_parts_changed IS 'Raises a service''s generation when its environment, ports, volumes or links change.';

-- A part may be moved from one service to another: both then want new containers.
CREATE FUNCTION skylark.service_parts_moved() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    UPDATE skylark.services s
    SET generation = s.generation + 1, updated_at = now()
    WHERE s.id IN (SELECT g.service_id FROM gone g UNION SELECT c.service_id FROM changed c);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.service_parts_moved IS 'As service_parts_changed, for an UPDATE: the service that lost a part changes as well.';
CREATE TRIGGER envvars_inserted AFTER INSERT ON skylark.envvars REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.service_parts_changed();
CREATE TRIGGER envvars_updated AFTER UPDATE ON skylark.envvars REFERENCING OLD TABLE AS gone NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.service_parts_moved();
CREATE TRIGGER envvars_deleted AFTER DELETE ON skylark.envvars REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.service_parts_changed();
CREATE TRIGGER ports_inserted AFTER INSERT ON skylark.ports REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.service_parts_changed();
CREATE TRIGGER ports_updated AFTER UPDATE ON skylark.ports REFERENCING OLD TABLE AS gone NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.service_parts_moved();
CREATE TRIGGER ports_deleted AFTER DELETE ON skylark.ports REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.service_parts_changed();
CREATE TRIGGER volumes_inserted AFTER INSERT ON skylark.volumes REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.service_parts_changed();
CREATE TRIGGER volumes_updated AFTER UPDATE ON skylark.volumes REFERENCING OLD TABLE AS gone NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.service_parts_moved();
CREATE TRIGGER volumes_deleted AFTER DELETE ON skylark.volumes REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.service_parts_changed();
CREATE TRIGGER links_inserted AFTER INSERT ON skylark.links REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.service_parts_changed();
CREATE TRIGGER links_updated AFTER UPDATE ON skylark.links REFERENCING OLD TABLE AS gone NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.service_parts_moved();
CREATE TRIGGER links_deleted AFTER DELETE ON skylark.links REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.service_parts_changed();

CREATE FUNCTION skylark.ports_reserve() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    range record;
    start integer;
    candidate integer;
BEGIN
    IF NEW.endpoint_type <> 'tcp-endpoint' THEN
        NEW.service_port := NULL;
        RETURN NEW;
    END IF;
    IF NEW.service_port IS NOT NULL THEN
        IF (TG_OP = 'INSERT' OR NEW.service_port IS DISTINCT FROM OLD.service_port)
           AND NOT EXISTS (SELECT FROM skylark.installation i
                           WHERE NEW.service_port BETWEEN i.service_port_first AND i.service_port_last) THEN
            RAISE EXCEPTION 'public port % is not in the installation''s range', NEW.service_port
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ports_service_port_range', TABLE = 'ports', SCHEMA = 'skylark';
        END IF;
        RETURN NEW;
    END IF;
    SELECT i.service_port_first AS first, i.service_port_last AS last INTO range FROM skylark.installation i;
    start := range.first + (nextval('skylark.service_port_turn') % (range.last - range.first + 1))::integer;
    FOR candidate IN
        SELECT f.port
        -- In the select list, where the series is not made beyond the first free port.
        FROM (SELECT generate_series(start, range.last) AS port
              UNION ALL
              SELECT generate_series(range.first, start - 1)) f
        -- By index, port by port: NOT EXISTS would read all ports that are reserved.
        WHERE (SELECT true FROM skylark.ports p WHERE p.service_port = f.port AND p.protocol = NEW.protocol) IS NULL
    LOOP
        -- One that another transaction is about to take is passed over, not waited for; and once it can't be any more, it may
        -- have been.
        IF pg_try_advisory_xact_lock(hashtextextended('skylark.ports.' || NEW.protocol, candidate))
           AND NOT EXISTS (SELECT FROM skylark.ports p WHERE p.service_port = candidate AND p.protocol = NEW.protocol) THEN
            NEW.service_port := candidate;
            RETURN NEW;
        END IF;
    END LOOP;
    RAISE EXCEPTION 'all public % ports from % to % are reserved', NEW.protocol, range.first, range.last
        USING ERRCODE = 'unique_violation', CONSTRAINT = 'ports_service_port_range';
END
$$;
COMMENT ON FUNCTION skylark.ports_reserve IS 'Gives a tcp-endpoint its public port, out of the installation''s range, in the transaction that asks for it, and waits for no other; none is left: unique_violation of ports_service_port_range.';
CREATE TRIGGER ports_reserve BEFORE INSERT OR UPDATE OF endpoint_type, protocol, service_port ON skylark.ports
    FOR EACH ROW EXECUTE FUNCTION skylark.ports_reserve();

-- Who links to a service has its ports in the environment.
CREATE FUNCTION skylark.ports_linked_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    WITH linking AS (
        SELECT s.id
        FROM skylark.services s
        WHERE s.id IN (SELECT l.service_id FROM skylark.links l JOIN changed c ON c.service_id = l.target_service_id)
        ORDER BY s.id -- in one order, or two that do this wait for each other
        FOR NO KEY UPDATE)
    UPDATE skylark.services s SET generation = s.generation + 1 FROM linking l WHERE s.id = l.id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.ports_linked_changed IS 'Raises the generation of the services that link to one whose ports change.';
CREATE TRIGGER ports_linked_inserted AFTER INSERT ON skylark.ports REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.ports_linked_changed();
CREATE TRIGGER ports_linked_deleted AFTER DELETE ON skylark.ports REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.ports_linked_changed();

CREATE FUNCTION skylark.ports_linked_moved() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    WITH linking AS (
        SELECT s.id
        FROM skylark.services s
        WHERE s.id IN (SELECT l.service_id
                       FROM skylark.links l
                       JOIN (SELECT g.service_id FROM gone g UNION SELECT c.service_id FROM changed c) p
                            ON p.service_id = l.target_service_id)
        ORDER BY s.id
        FOR NO KEY UPDATE)
    UPDATE skylark.services s SET generation = s.generation + 1 FROM linking l WHERE s.id = l.id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.ports_linked_moved IS 'As ports_linked_changed, for an UPDATE.';
CREATE TRIGGER ports_linked_updated AFTER UPDATE ON skylark.ports REFERENCING OLD TABLE AS gone NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.ports_linked_moved();
