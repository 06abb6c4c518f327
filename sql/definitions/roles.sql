-- With which settings of PostgreSQL each role works. `skylarkctl migrate` applies them each time.

CREATE VIEW skylark.role_settings AS
SELECT v.role, v.setting, v.value
FROM (
    -- Short statements all: compiling one takes longer than running it a thousand times, and so does planning one anew
    -- each time.
    SELECT r.role, s.setting, s.value
    FROM (VALUES ('skylark_api'), ('skylark_deployer'), ('skylark_collector'), ('skylark_autoscaler'), ('skylark_router'),
                 ('skylark_dba')) AS r (role)
    CROSS JOIN (VALUES ('jit', 'off'), ('plan_cache_mode', 'force_generic_plan')) AS s (setting, value)
    UNION ALL
    -- The autoscaler's statements go from a bounded number of rows to what belongs to each, by index; without joins of
    -- whole tables that stays so however few services there are when PostgreSQL makes its plan. And a pass that a
    -- crash of the server loses is made again, so its commits need not wait for the disk.
    VALUES ('skylark_autoscaler', 'enable_hashjoin', 'off'),
           ('skylark_autoscaler', 'enable_mergejoin', 'off'),
           ('skylark_autoscaler', 'synchronous_commit', 'off')) v;
COMMENT ON VIEW skylark.role_settings IS 'Settings of PostgreSQL that belong to the roles. A setting that a release takes out stays here with a null value, which resets it.';
COMMENT ON COLUMN skylark.role_settings.role IS 'Role.';
COMMENT ON COLUMN skylark.role_settings.setting IS 'Setting of PostgreSQL.';
COMMENT ON COLUMN skylark.role_settings.value IS 'Its value; null: the server''s own.';

CREATE VIEW skylark.role_setting_differences AS
SELECT w.role, w.setting, w.value, h.value AS found, h.in_database
FROM skylark.role_settings w
JOIN pg_roles r ON r.rolname = w.role
-- For the role as a whole, and for the role in this database, which would win.
CROSS JOIN (VALUES (false), (true)) AS d (in_database)
CROSS JOIN LATERAL (
    SELECT d.in_database,
           (SELECT substr(c.entry, length(w.setting) + 2)
            FROM pg_db_role_setting s
            CROSS JOIN LATERAL unnest(s.setconfig) AS c (entry)
            WHERE s.setrole = r.oid AND split_part(c.entry, '=', 1) = w.setting
              AND s.setdatabase = CASE WHEN d.in_database
                                       THEN (SELECT b.oid FROM pg_database b WHERE b.datname = current_database()) ELSE 0 END) AS value) h
WHERE CASE WHEN h.in_database THEN h.value IS NOT NULL AND h.value IS DISTINCT FROM w.value
           ELSE h.value IS DISTINCT FROM w.value END;
COMMENT ON VIEW skylark.role_setting_differences IS 'Roles'' settings that are not as role_settings has them.';
COMMENT ON COLUMN skylark.role_setting_differences.role IS 'Role.';
COMMENT ON COLUMN skylark.role_setting_differences.setting IS 'Setting of PostgreSQL.';
COMMENT ON COLUMN skylark.role_setting_differences.value IS 'What it should be; null: the server''s own.';
COMMENT ON COLUMN skylark.role_setting_differences.found IS 'What it is; null: not set.';
COMMENT ON COLUMN skylark.role_setting_differences.in_database IS 'Whether it is set for this database only.';

CREATE FUNCTION skylark.role_settings_apply() RETURNS integer
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    wrong record;
    changed integer := 0;
BEGIN
    FOR attempt IN 1..20 LOOP
        BEGIN
            FOR wrong IN SELECT d.* FROM skylark.role_setting_differences d LOOP
                IF wrong.in_database THEN
                    EXECUTE format('ALTER ROLE %I IN DATABASE %I RESET %I', wrong.role, current_database(), wrong.setting);
                ELSIF wrong.value IS NULL THEN
                    EXECUTE format('ALTER ROLE %I RESET %I', wrong.role, wrong.setting);
                ELSE
                    EXECUTE format('ALTER ROLE %I SET %I = %L', wrong.role, wrong.setting, wrong.value);
                END IF;
                changed := changed + 1;
            END LOOP;
            RETURN changed;
        EXCEPTION WHEN internal_error OR unique_violation THEN
            -- "tuple concurrently updated": roles belong to the cluster, skylarkctl's lock to one database. A migrate of
            -- another database does the same.
            IF attempt = 20 THEN
                RAISE;
            END IF;
            changed := 0;
            PERFORM pg_sleep(0.05);
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION skylark.role_settings_apply IS 'Sets what differs from role_settings; returns how many settings did.';
