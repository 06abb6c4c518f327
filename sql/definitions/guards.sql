-- What nobody changes by hand. What users want may be changed by anybody who may write at all: constraints and triggers hold the
-- rules, and the processes follow. What processes observe and note for themselves is theirs alone: a row that says what is not
-- so can't be put right by any rule. `SET skylark.by_hand = on` lifts the guards here, for a session that knows better.

CREATE FUNCTION skylark.refuse_by_hand() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    -- Cascades and other triggers write on behalf of a change that was allowed. And a role that is a member of a process's
    -- role is that process; a superuser, who is a member of every role, is not.
    IF pg_trigger_depth() > 1 OR current_setting('skylark.by_hand', true) = 'on'
       OR EXISTS (SELECT
                  FROM unnest(TG_ARGV[1:]) AS w (role)
                  JOIN pg_roles r ON r.rolname = w.role
                  JOIN pg_roles me ON me.rolname = current_user AND NOT me.rolsuper
                  WHERE pg_has_role(me.oid, r.oid, 'USAGE')) THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    RAISE EXCEPTION '% of skylark.% by hand: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = 'SET skylark.by_hand = on lifts this for the session. What follows is then your own.';
END
$$;
COMMENT ON FUNCTION skylark.refuse_by_hand IS 'Refuses with the reason that is its first argument, unless a role that is a further argument, another trigger or a session with skylark.by_hand = on does it.';

CREATE FUNCTION skylark.refuse_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    RAISE EXCEPTION '% of skylark.%: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END
$$;
COMMENT ON FUNCTION skylark.refuse_change IS 'Refuses, whoever it is, with the reason that is its argument.';

-- --- what processes observe and note ---

DO $$
DECLARE
    guarded record;
BEGIN
    FOR guarded IN
        SELECT *
        FROM (VALUES ('service_status', '{skylark_deployer}'::text[]),
                     ('instances', '{skylark_deployer}'),
                     ('instance_ports', '{skylark_deployer}'),
                     ('kept_volumes', '{skylark_deployer}'),
                     ('engines', '{skylark_deployer}'),
                     ('image_pulls', '{skylark_deployer}'),
                     ('reconcile_queue', '{skylark_deployer}'),
                     ('wakes', '{skylark_deployer,skylark_collector,skylark_router}'),
                     ('log_positions', '{skylark_collector}'),
                     ('autoscaling_queue', '{skylark_autoscaler}'),
                     ('fronts', '{skylark_router}'),
                     ('schema_migrations', '{}'),
                     ('schema_definitions', '{}'),
                     ('schema_objects', '{}')) AS t (name, writers)
    LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE ON skylark.%I FOR EACH STATEMENT
                        WHEN (current_user <> ALL (%L::name[])) EXECUTE FUNCTION skylark.refuse_by_hand(%s)',
                       guarded.name || '_guard', guarded.name, guarded.writers,
                       (SELECT string_agg(quote_literal(a.argument), ', ' ORDER BY a.place)
                        FROM unnest('only the process whose observation it is writes it'::text || guarded.writers)
                             WITH ORDINALITY AS a (argument, place)));
    END LOOP;
    -- What is gone on the engine may be forgotten, and so may a front: a router that lives reports again.
    FOR guarded IN
        SELECT *
        FROM (VALUES ('service_status', '{skylark_deployer}'::text[]), ('instance_ports', '{skylark_deployer}'),
                     ('kept_volumes', '{skylark_deployer}'), ('engines', '{skylark_deployer}'),
                     ('image_pulls', '{skylark_deployer}'), ('reconcile_queue', '{}'), ('wakes', '{skylark_deployer}'), ('log_positions', '{skylark_collector}'),
                     ('autoscaling_queue', '{}'), ('login_totals', '{}'), ('schema_migrations', '{}'), ('schema_definitions', '{}'),
                     ('schema_objects', '{}')) AS t (name, writers)
    LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE DELETE ON skylark.%I FOR EACH STATEMENT
                        WHEN (current_user <> ALL (%L::name[])) EXECUTE FUNCTION skylark.refuse_by_hand(%s)',
                       guarded.name || '_delete_guard', guarded.name, guarded.writers,
                       (SELECT string_agg(quote_literal(a.argument), ', ' ORDER BY a.place)
                        FROM unnest('the processes need it'::text || guarded.writers) WITH ORDINALITY AS a (argument, place)));
    END LOOP;
    -- TRUNCATE passes by all other triggers. Logs, samples and other history may go: nothing is derived from them.
    FOR guarded IN
        SELECT c.relname AS name
        FROM pg_class c
        WHERE c.relnamespace = 'skylark'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND c.relname NOT IN ('log_rows', 'metric_samples', 'events', 'autoscaling_decisions', 'login_failures',
                                'login_addresses')
    LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON skylark.%I FOR EACH STATEMENT
                        EXECUTE FUNCTION skylark.refuse_by_hand(%L)',
                       guarded.name || '_truncate_guard', guarded.name, 'no process would hear of it; DELETE is followed');
    END LOOP;
END
$$;
CREATE TRIGGER instances_delete_guard BEFORE DELETE ON skylark.instances
    FOR EACH ROW WHEN (OLD.state <> 'removed')
    EXECUTE FUNCTION skylark.refuse_by_hand('its container is still there');

-- --- what never changes ---

CREATE TRIGGER installation_fixed BEFORE UPDATE OF id ON skylark.installation
    FOR EACH ROW WHEN (OLD.id <> NEW.id)
    EXECUTE FUNCTION skylark.refuse_change('all containers, networks and volumes on the engine bear this id');
CREATE TRIGGER installation_engine_fixed BEFORE UPDATE OF engine_id ON skylark.installation
    FOR EACH ROW WHEN (OLD.engine_id <> NEW.engine_id)
    EXECUTE FUNCTION skylark.refuse_change('use skylarkctl engine forget, and the deployers record their engine');
CREATE TRIGGER installation_delete_guard BEFORE DELETE ON skylark.installation
    FOR EACH ROW EXECUTE FUNCTION skylark.refuse_change('every process needs it');
CREATE TRIGGER namespaces_fixed BEFORE UPDATE OF kind ON skylark.namespaces
    FOR EACH ROW WHEN (OLD.kind <> NEW.kind)
    EXECUTE FUNCTION skylark.refuse_change('a user and an organisation do not become each other');
CREATE TRIGGER users_fixed BEFORE UPDATE OF id ON skylark.users
    FOR EACH ROW WHEN (OLD.id <> NEW.id) EXECUTE FUNCTION skylark.refuse_change('a user keeps the namespace of the same name');
CREATE TRIGGER api_tokens_fixed BEFORE UPDATE OF user_id, token_hash, token_prefix ON skylark.api_tokens
    FOR EACH ROW
    WHEN ((OLD.user_id, OLD.token_hash, OLD.token_prefix)
          IS DISTINCT FROM (NEW.user_id, NEW.token_hash, NEW.token_prefix))
    EXECUTE FUNCTION skylark.refuse_change('a token stays whose and what it is; make a new one');
CREATE TRIGGER login_totals_fixed BEFORE INSERT OR UPDATE OF part ON skylark.login_totals
    FOR EACH ROW EXECUTE FUNCTION skylark.refuse_change('logins are counted in these parts');
CREATE TRIGGER quotas_fixed BEFORE UPDATE OF namespace_id, name ON skylark.quotas
    FOR EACH ROW WHEN ((OLD.namespace_id, OLD.name) IS DISTINCT FROM (NEW.namespace_id, NEW.name))
    EXECUTE FUNCTION skylark.refuse_change('delete the row, and insert it as it is to be');
CREATE TRIGGER quotas_delete_guard BEFORE DELETE ON skylark.quotas
    FOR EACH ROW WHEN (OLD.namespace_id IS NULL)
    EXECUTE FUNCTION skylark.refuse_change('set maximum to null for as much as there is');
CREATE TRIGGER instance_sizes_delete_guard BEFORE DELETE ON skylark.instance_sizes
    FOR EACH ROW EXECUTE FUNCTION skylark.refuse_change('the API has these six sizes');
CREATE TRIGGER services_fixed BEFORE UPDATE OF id, namespace_id ON skylark.services
    FOR EACH ROW WHEN ((OLD.id, OLD.namespace_id) IS DISTINCT FROM (NEW.id, NEW.namespace_id))
    EXECUTE FUNCTION skylark.refuse_change('what it runs and keeps stays in its namespace; make it anew in the other one');
CREATE TRIGGER services_stay_deleted BEFORE UPDATE OF deleted_at ON skylark.services
    FOR EACH ROW WHEN (OLD.deleted_at IS NOT NULL AND OLD.deleted_at IS DISTINCT FROM NEW.deleted_at)
    EXECUTE FUNCTION skylark.refuse_change('its containers and volumes are being removed; make it anew');
-- An entry's id is the number in the names of its volumes on the engine.
CREATE TRIGGER volumes_fixed BEFORE UPDATE ON skylark.volumes
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION skylark.refuse_change('delete the entry, and insert it as it is to be');
