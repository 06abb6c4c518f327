-- Rules about several rows or tables, which no constraint can say. They hold for the API and for a DBA's own hand alike, also
-- when two transactions would break them only together.

CREATE FUNCTION skylark.services_delete_guard() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    IF current_setting('skylark.by_hand', true) = 'on'
       OR OLD.deleted_at IS NOT NULL
          AND EXISTS (SELECT FROM skylark.reconcile_queue q WHERE q.service_id = OLD.id AND q.lease_until > now()) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'DELETE of skylark.services: the containers and volumes of % would be left on the engine', OLD.name
        USING ERRCODE = 'restrict_violation', HINT = 'Set its deleted_at to now(): a deployer removes them, then the row.';
END
$$;
COMMENT ON FUNCTION skylark.services_delete_guard IS 'Lets only a deployer that holds the lease of a deleted service remove its row.';
CREATE TRIGGER services_delete_guard BEFORE DELETE ON skylark.services
    FOR EACH ROW EXECUTE FUNCTION skylark.services_delete_guard();

-- At the end of the transaction, so that it may set the mode first and the thresholds then. Whoever takes settings away locks the
-- service, too: of two transactions that would break this together the later one waits, and sees what the other did.
CREATE FUNCTION skylark.autoscaling_required() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    service uuid := CASE WHEN TG_TABLE_NAME = 'services' THEN (to_jsonb(NEW) ->> 'id') ELSE (to_jsonb(OLD) ->> 'service_id') END;
    automatic boolean;
BEGIN
    SELECT s.scaling_mode = 'AUTO' AND s.deleted_at IS NULL INTO automatic
    FROM skylark.services s WHERE s.id = service FOR NO KEY UPDATE;
    IF automatic THEN
        PERFORM FROM skylark.autoscaling_settings a WHERE a.service_id = service;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'an AUTO service has autoscaling_settings; set scaling_mode to MANUAL first'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'services_autoscaling_required', TABLE = 'services', SCHEMA = 'skylark';
        END IF;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.autoscaling_required IS 'Refuses, at the end of the transaction, a service that is AUTO without settings.';
CREATE CONSTRAINT TRIGGER services_autoscaling_required AFTER INSERT OR UPDATE OF scaling_mode ON skylark.services
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.scaling_mode = 'AUTO') EXECUTE FUNCTION skylark.autoscaling_required();
CREATE CONSTRAINT TRIGGER autoscaling_settings_required AFTER DELETE OR UPDATE OF service_id ON skylark.autoscaling_settings
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION skylark.autoscaling_required();

-- What an entry says of a volume that is on the engine already is true.
CREATE FUNCTION skylark.volumes_kept() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    IF EXISTS (SELECT
               FROM skylark.kept_volumes k
               WHERE k.service_id = NEW.service_id AND k.app_volume_dir = NEW.app_volume_dir
                 AND (k.volume_type <> NEW.volume_type OR k.options::text LIKE '%{size_gb}%' AND k.size_gb <> NEW.size_gb)) THEN
        RAISE EXCEPTION 'the volume for % is on the engine already, of another type or size', NEW.app_volume_dir
            USING ERRCODE = 'check_violation', CONSTRAINT = 'volumes_kept', TABLE = 'volumes', SCHEMA = 'skylark';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION skylark.volumes_kept IS 'Refuses an entry of another type or size than what is kept for its directory.';
CREATE TRIGGER volumes_kept BEFORE INSERT ON skylark.volumes
    FOR EACH ROW EXECUTE FUNCTION skylark.volumes_kept();

-- One transaction after the other changes the links of a namespace or deletes what they may lead to, so that what each checks
-- stays true until it is committed. The API takes this lock at the beginning (sql/queries/api/links_lock.sql).
CREATE FUNCTION skylark.links_lock() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'links are changed in READ COMMITTED only: an older snapshot does not see a circle that another transaction has begun'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('skylark.links', NEW.namespace_id));
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION skylark.links_lock IS 'Holds the links of the namespace until the transaction ends.';
CREATE TRIGGER links_lock BEFORE INSERT OR UPDATE ON skylark.links
    FOR EACH ROW EXECUTE FUNCTION skylark.links_lock();
CREATE TRIGGER services_links_lock BEFORE UPDATE OF deleted_at ON skylark.services
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION skylark.links_lock();

CREATE FUNCTION skylark.links_check() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    IF EXISTS (WITH RECURSIVE reached (id) AS (
                   SELECT NEW.target_service_id
                   UNION
                   SELECT l.target_service_id FROM reached r JOIN skylark.links l ON l.service_id = r.id)
               SELECT FROM reached r WHERE r.id = NEW.service_id)
       AND EXISTS (SELECT FROM skylark.links l
                   WHERE l.service_id = NEW.service_id AND l.target_service_id = NEW.target_service_id) THEN
        RAISE EXCEPTION 'links would close a circle'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'links_circle', TABLE = 'links', SCHEMA = 'skylark';
    END IF;
    IF EXISTS (SELECT
               FROM skylark.links l
               JOIN skylark.services t ON t.id = l.target_service_id AND t.deleted_at IS NOT NULL
               JOIN skylark.services s ON s.id = l.service_id AND s.deleted_at IS NULL
               WHERE l.service_id = NEW.service_id AND l.target_service_id = NEW.target_service_id) THEN
        RAISE EXCEPTION 'a link leads to a service that is deleted'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'links_deleted', TABLE = 'links', SCHEMA = 'skylark';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.links_check IS 'Refuses, at the end of the transaction, links in a circle and links to a deleted service.';
CREATE CONSTRAINT TRIGGER links_checked AFTER INSERT OR UPDATE ON skylark.links
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION skylark.links_check();

CREATE FUNCTION skylark.services_linked_check() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    IF EXISTS (SELECT
               FROM skylark.links l
               JOIN skylark.services s ON s.id = l.service_id AND s.deleted_at IS NULL
               JOIN skylark.services t ON t.id = l.target_service_id AND t.deleted_at IS NOT NULL
               WHERE l.target_service_id = NEW.id) THEN
        RAISE EXCEPTION 'other services link to %; take their links away first', NEW.name
            USING ERRCODE = 'check_violation', CONSTRAINT = 'links_deleted', TABLE = 'links', SCHEMA = 'skylark';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION skylark.services_linked_check IS 'Refuses, at the end of the transaction, to delete a service that others link to.';
CREATE CONSTRAINT TRIGGER services_linked_checked AFTER UPDATE OF deleted_at ON skylark.services
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION skylark.services_linked_check();
