-- How much each namespace may have: checked by triggers in the transaction that asks for more, whoever that is.
-- after: tenancy

COMMENT ON TABLE skylark.quotas IS 'How much each namespace may have at the most. Edit at will, or with `skylarkctl quota set`; less than what is used takes nothing away, and lets nothing be added.';
COMMENT ON COLUMN skylark.quotas.namespace_id IS 'Whose; null: of all namespaces that have no row of their own for that name.';
COMMENT ON COLUMN skylark.quotas.name IS 'Of what: services; instances, thousandths of a CPU and MiB of memory of what is STARTED; public ports of tcp-endpoints; volumes and their GiB, one for each instance; networks on the engine; custom domain names; valid API tokens of the user.';
COMMENT ON COLUMN skylark.quotas.maximum IS 'How much; null: as much as there is.';

COMMENT ON COLUMN skylark.services.most_instances IS 'Largest target_num_instances since it has volumes on the engine: the volumes of each instance stay until it is deleted. Set by trigger.';

CREATE FUNCTION skylark.quota_maximum(p_namespace_id bigint, p_name text) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$
    SELECT q.maximum
    FROM skylark.quotas q
    WHERE q.name = p_name AND (q.namespace_id = p_namespace_id OR q.namespace_id IS NULL)
    ORDER BY q.namespace_id NULLS LAST
    LIMIT 1
$$;
COMMENT ON FUNCTION skylark.quota_maximum IS 'How much a namespace may have; null: as much as there is.';

CREATE VIEW skylark.volume_slots AS
SELECT s.namespace_id, s.id AS service_id, v.app_volume_dir, v.size_gb,
       CASE WHEN EXISTS (SELECT FROM skylark.kept_volumes k WHERE k.service_id = s.id)
            THEN GREATEST(s.most_instances, s.target_num_instances) ELSE s.target_num_instances END AS slots
FROM skylark.services s
CROSS JOIN LATERAL (
    SELECT COALESCE(k.app_volume_dir, v.app_volume_dir) AS app_volume_dir, COALESCE(k.size_gb, v.size_gb) AS size_gb
    FROM (SELECT * FROM skylark.volumes w WHERE w.service_id = s.id) v
    FULL JOIN (SELECT * FROM skylark.kept_volumes w WHERE w.service_id = s.id) k ON k.app_volume_dir = v.app_volume_dir) v;
COMMENT ON VIEW skylark.volume_slots IS 'The volumes that each service has or will have on the engine, a row a directory.';
COMMENT ON COLUMN skylark.volume_slots.namespace_id IS 'Whose.';
COMMENT ON COLUMN skylark.volume_slots.service_id IS 'Of which service.';
COMMENT ON COLUMN skylark.volume_slots.app_volume_dir IS 'Where instances mount it, or did.';
COMMENT ON COLUMN skylark.volume_slots.size_gb IS 'Size of each, in GiB.';
COMMENT ON COLUMN skylark.volume_slots.slots IS 'How many: one for each instance that there is, or was since they are kept.';

-- One case is evaluated, not all.
CREATE FUNCTION skylark.quota_used(p_namespace_id bigint, p_name text) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$
    SELECT (CASE p_name
        WHEN 'services' THEN (
            SELECT count(*) FROM skylark.services s WHERE s.namespace_id = p_namespace_id AND s.deleted_at IS NULL)
        WHEN 'instances' THEN (
            SELECT COALESCE(sum(s.target_num_instances), 0)
            FROM skylark.services s
            WHERE s.namespace_id = p_namespace_id AND s.deleted_at IS NULL AND s.target_state = 'STARTED')
        WHEN 'cpu_millis' THEN (
            SELECT COALESCE(sum(s.target_num_instances::bigint * z.cpu_millis), 0)
            FROM skylark.services s
            JOIN skylark.instance_sizes z ON z.name = s.instance_size
            WHERE s.namespace_id = p_namespace_id AND s.deleted_at IS NULL AND s.target_state = 'STARTED')
        WHEN 'memory_mib' THEN (
            SELECT COALESCE(sum(s.target_num_instances * ceil(z.memory_bytes / 1048576.0)), 0)::bigint
            FROM skylark.services s
            JOIN skylark.instance_sizes z ON z.name = s.instance_size
            WHERE s.namespace_id = p_namespace_id AND s.deleted_at IS NULL AND s.target_state = 'STARTED')
        -- A service that is being deleted holds its ports and volumes until it is gone.
        WHEN 'public_ports' THEN (
            SELECT count(*)
            FROM skylark.services s
            JOIN skylark.ports p ON p.service_id = s.id
            WHERE s.namespace_id = p_namespace_id AND p.service_port IS NOT NULL)
        WHEN 'volumes' THEN (
            SELECT COALESCE(sum(v.slots), 0) FROM skylark.volume_slots v WHERE v.namespace_id = p_namespace_id)
        WHEN 'volume_gib' THEN (
            SELECT COALESCE(sum(v.slots::bigint * v.size_gb), 0) FROM skylark.volume_slots v WHERE v.namespace_id = p_namespace_id)
        -- That of the namespace, that of each service which has an internal-endpoint, and that of each link to or from one.
        WHEN 'networks' THEN (
            WITH own AS (SELECT s.id, EXISTS (SELECT FROM skylark.ports p
                                              WHERE p.service_id = s.id AND p.endpoint_type = 'internal-endpoint') AS apart
                         FROM skylark.services s
                         WHERE s.namespace_id = p_namespace_id AND s.deleted_at IS NULL)
            SELECT (EXISTS (SELECT FROM own o WHERE NOT o.apart))::integer
                   + (SELECT count(*) FROM own o WHERE o.apart)
                   + (SELECT count(*) FROM skylark.links l
                      JOIN own f ON f.id = l.service_id
                      JOIN own t ON t.id = l.target_service_id
                      WHERE l.namespace_id = p_namespace_id AND (f.apart OR t.apart)))
        WHEN 'domains' THEN (
            SELECT count(*)
            FROM skylark.services s
            JOIN skylark.custom_domains c ON c.service_id = s.id
            WHERE s.namespace_id = p_namespace_id)
        WHEN 'tokens' THEN (
            SELECT count(*) FROM skylark.api_tokens t
            WHERE t.user_id = p_namespace_id AND COALESCE(skylark.token_ends_at(t) > now(), true))
    END)::bigint
$$;
COMMENT ON FUNCTION skylark.quota_used IS 'How much of something a namespace has.';

CREATE VIEW skylark.quotas_overview AS
SELECT n.name AS namespace, d.name AS quota, skylark.quota_used(n.id, d.name) AS used,
       skylark.quota_maximum(n.id, d.name) AS maximum,
       NOT EXISTS (SELECT FROM skylark.quotas q WHERE q.namespace_id = n.id AND q.name = d.name) AS is_default
FROM skylark.namespaces n
CROSS JOIN skylark.quotas d
WHERE d.namespace_id IS NULL;
COMMENT ON VIEW skylark.quotas_overview IS 'How much of everything each namespace has, and may have, for people.';
COMMENT ON COLUMN skylark.quotas_overview.namespace IS 'Namespace.';
COMMENT ON COLUMN skylark.quotas_overview.quota IS 'Name of the quota, as in quotas.';
COMMENT ON COLUMN skylark.quotas_overview.used IS 'How much it has.';
COMMENT ON COLUMN skylark.quotas_overview.maximum IS 'How much it may have; null: as much as there is.';
COMMENT ON COLUMN skylark.quotas_overview.is_default IS 'Whether that is what all have that have no row of their own.';

-- --- checking ---

-- The order of locks: the links of the namespace (sql/queries/api/links_lock.sql), rows of services, this one, and nothing
-- that is waited for after it. So it is never held for long by who waits, and other namespaces never meet it.
CREATE FUNCTION skylark.quota_key(p_namespace_id bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN hashtextextended('skylark.quotas', p_namespace_id);
COMMENT ON FUNCTION skylark.quota_key IS 'The advisory lock of those who take more of a namespace''s quotas, held until the transaction ends.';

CREATE FUNCTION skylark.quota_check(p_namespace_id bigint, p_names text[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    name text;
    most bigint;
    used bigint;
BEGIN
    FOREACH name IN ARRAY p_names LOOP
        most := skylark.quota_maximum(p_namespace_id, name);
        CONTINUE WHEN most IS NULL;
        -- What others take is counted once they are done with it; that is known only from a look after the lock.
        PERFORM pg_advisory_xact_lock(skylark.quota_key(p_namespace_id));
        used := skylark.quota_used(p_namespace_id, name);
        IF used > most THEN
            RAISE EXCEPTION 'The quota % of the namespace % is %; with this, % would be in use.', name,
                (SELECT n.name FROM skylark.namespaces n WHERE n.id = p_namespace_id), most, used
                USING ERRCODE = 'check_violation', CONSTRAINT = 'quota_' || name, SCHEMA = 'skylark', TABLE = 'quotas';
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION skylark.quota_check IS 'Refuses what makes a namespace exceed one of its quotas: check_violation of quota_{name}.';

CREATE FUNCTION skylark.services_most() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    NEW.most_instances := NEW.target_num_instances;
    IF TG_OP = 'UPDATE' AND EXISTS (SELECT FROM skylark.kept_volumes k WHERE k.service_id = NEW.id) THEN
        NEW.most_instances := GREATEST(OLD.most_instances, NEW.target_num_instances);
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION skylark.services_most IS 'Sets most_instances.';
CREATE TRIGGER services_most BEFORE INSERT OR UPDATE OF target_num_instances, most_instances ON skylark.services
    FOR EACH ROW EXECUTE FUNCTION skylark.services_most();

CREATE FUNCTION skylark.quota_services_added() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    grown bigint;
BEGIN
    FOR grown IN SELECT DISTINCT a.namespace_id FROM added a WHERE a.deleted_at IS NULL ORDER BY a.namespace_id LOOP
        PERFORM skylark.quota_check(grown, '{services,instances,cpu_millis,memory_mib,networks}');
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.quota_services_added IS 'Checks the quotas that new services take of.';
CREATE TRIGGER quota_services_added AFTER INSERT ON skylark.services REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.quota_services_added();

-- Only what grows is checked: with a quota below what is used, less of it, and anything else, can still be changed.
CREATE FUNCTION skylark.quota_services_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    grown record;
BEGIN
    FOR grown IN
        SELECT a.namespace_id,
               array_remove(ARRAY[CASE WHEN bool_or(a.services > b.services) THEN 'services' END,
                                  CASE WHEN bool_or(a.instances > b.instances) THEN 'instances' END,
                                  CASE WHEN bool_or(a.cpu > b.cpu) THEN 'cpu_millis' END,
                                  CASE WHEN bool_or(a.memory > b.memory) THEN 'memory_mib' END,
                                  CASE WHEN bool_or(a.slots > b.slots) THEN 'volumes' END,
                                  CASE WHEN bool_or(a.slots > b.slots) THEN 'volume_gib' END,
                                  CASE WHEN bool_or(a.services > b.services) THEN 'networks' END], NULL) AS names
        FROM (SELECT c.id, c.namespace_id, (c.deleted_at IS NULL)::integer AS services, w.instances,
                     w.instances * z.cpu_millis::bigint AS cpu, w.instances * z.memory_bytes AS memory,
                     GREATEST(c.most_instances, c.target_num_instances) AS slots
              FROM changed c
              JOIN skylark.instance_sizes z ON z.name = c.instance_size
              CROSS JOIN LATERAL (SELECT CASE WHEN c.deleted_at IS NULL AND c.target_state = 'STARTED'
                                              THEN c.target_num_instances ELSE 0 END AS instances) w) a
        JOIN (SELECT c.id, c.namespace_id, (c.deleted_at IS NULL)::integer AS services, w.instances,
                     w.instances * z.cpu_millis::bigint AS cpu, w.instances * z.memory_bytes AS memory,
                     GREATEST(c.most_instances, c.target_num_instances) AS slots
              FROM gone c
              JOIN skylark.instance_sizes z ON z.name = c.instance_size
              CROSS JOIN LATERAL (SELECT CASE WHEN c.deleted_at IS NULL AND c.target_state = 'STARTED'
                                              THEN c.target_num_instances ELSE 0 END AS instances) w) b ON b.id = a.id
        WHERE a.services > b.services OR a.instances > b.instances OR a.cpu > b.cpu OR a.memory > b.memory OR a.slots > b.slots
        GROUP BY a.namespace_id
        ORDER BY a.namespace_id
    LOOP
        PERFORM skylark.quota_check(grown.namespace_id, grown.names);
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.quota_services_changed IS 'Checks the quotas that changed services take more of.';
CREATE TRIGGER quota_services_changed AFTER UPDATE ON skylark.services REFERENCING OLD TABLE AS gone NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.quota_services_changed();

-- Arguments: the names of the quotas.
CREATE FUNCTION skylark.quota_parts_added() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    grown bigint;
BEGIN
    FOR grown IN
        SELECT DISTINCT s.namespace_id FROM added a JOIN skylark.services s ON s.id = a.service_id ORDER BY s.namespace_id
    LOOP
        PERFORM skylark.quota_check(grown, TG_ARGV);
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.quota_parts_added IS 'Checks the quotas that parts of services take of: new ones, or all that an UPDATE touches.';
CREATE TRIGGER quota_ports_added AFTER INSERT ON skylark.ports REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.quota_parts_added('public_ports', 'networks');
CREATE TRIGGER quota_ports_changed AFTER UPDATE ON skylark.ports REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.quota_parts_added('public_ports', 'networks');
CREATE TRIGGER quota_links_added AFTER INSERT ON skylark.links REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.quota_parts_added('networks');
CREATE TRIGGER quota_domains_added AFTER INSERT ON skylark.custom_domains REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.quota_parts_added('domains');
CREATE TRIGGER quota_domains_changed AFTER UPDATE ON skylark.custom_domains REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.quota_parts_added('domains');
CREATE TRIGGER quota_volumes_added AFTER INSERT ON skylark.volumes REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION skylark.quota_parts_added('volumes', 'volume_gib');

CREATE FUNCTION skylark.quota_token_added() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    PERFORM skylark.quota_check(NEW.user_id, '{tokens}');
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.quota_token_added IS 'Checks the quota of a user''s tokens.';
CREATE TRIGGER quota_token_added AFTER INSERT ON skylark.api_tokens
    FOR EACH ROW EXECUTE FUNCTION skylark.quota_token_added();
CREATE TRIGGER quota_token_restored AFTER UPDATE OF revoked_at, expires_at, user_id ON skylark.api_tokens
    FOR EACH ROW
    WHEN ((OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS NULL) OR OLD.user_id <> NEW.user_id
          OR (OLD.expires_at IS NOT NULL AND (NEW.expires_at IS NULL OR NEW.expires_at > OLD.expires_at)))
    EXECUTE FUNCTION skylark.quota_token_added();

-- --- the autoscaler ---

-- For services that are to have more instances: how many of those their quotas leave room for, all of them together. Null where
-- somebody else is taking of that namespace's quotas at this moment, who is not waited for: a pass changes services of many
-- namespaces. Whom it gives more, keeps that namespace's lock until its transaction ends.
CREATE FUNCTION skylark.quota_grant(p_service_ids uuid[], p_wanted integer[])
    RETURNS TABLE (service_id uuid, granted integer)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    asked record;
    last bigint;
    free boolean;
    instances bigint; -- what is left of each; null: no quota
    cpu bigint;
    memory bigint;
    volumes bigint;
    gib bigint;
    more bigint;
    kept integer; -- instances that have their volumes already
BEGIN
    FOR asked IN
        SELECT s.id, s.namespace_id, s.target_num_instances AS target, w.wanted, z.cpu_millis AS cpu,
               ceil(z.memory_bytes / 1048576.0)::bigint AS memory, v.dirs, v.gib, v.slots
        FROM unnest(p_service_ids, p_wanted) AS w (id, wanted)
        JOIN skylark.services s ON s.id = w.id
        JOIN skylark.instance_sizes z ON z.name = s.instance_size
        CROSS JOIN LATERAL (SELECT count(*) AS dirs, sum(x.size_gb) AS gib, max(x.slots) AS slots
                            FROM skylark.volume_slots x WHERE x.service_id = s.id) v
        ORDER BY s.namespace_id, s.id
    LOOP
        IF asked.namespace_id IS DISTINCT FROM last THEN
            last := asked.namespace_id;
            instances := skylark.quota_maximum(last, 'instances');
            cpu := skylark.quota_maximum(last, 'cpu_millis');
            memory := skylark.quota_maximum(last, 'memory_mib');
            volumes := skylark.quota_maximum(last, 'volumes');
            gib := skylark.quota_maximum(last, 'volume_gib');
            free := COALESCE(instances, cpu, memory, volumes, gib) IS NULL OR pg_try_advisory_xact_lock(skylark.quota_key(last));
            IF free THEN
                instances := instances - skylark.quota_used(last, 'instances');
                cpu := cpu - skylark.quota_used(last, 'cpu_millis');
                memory := memory - skylark.quota_used(last, 'memory_mib');
                volumes := volumes - skylark.quota_used(last, 'volumes');
                gib := gib - skylark.quota_used(last, 'volume_gib');
            END IF;
        END IF;
        service_id := asked.id;
        granted := NULL;
        IF free THEN
            kept := GREATEST(COALESCE(asked.slots, 0), asked.target);
            more := LEAST(asked.wanted - asked.target, instances, cpu / asked.cpu, memory / asked.memory);
            IF asked.dirs > 0 THEN
                more := LEAST(more, kept - asked.target + GREATEST(COALESCE(LEAST(volumes / asked.dirs, gib / asked.gib), asked.wanted), 0));
            END IF;
            more := GREATEST(more, 0);
            instances := instances - more;
            cpu := cpu - more * asked.cpu;
            memory := memory - more * asked.memory;
            volumes := volumes - GREATEST(asked.target + more - kept, 0) * asked.dirs;
            gib := gib - GREATEST(asked.target + more - kept, 0) * COALESCE(asked.gib, 0);
            granted := asked.target + more;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION skylark.quota_grant IS 'How many instances the quotas leave to services that want more; null: another transaction is taking of the namespace''s quotas.';
