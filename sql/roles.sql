-- The database roles, one a process and one for people who look. `skylarkctl migrate` applies this
-- before all else, each time: it only adds what is missing. A role here can log in once the
-- operator gives it a password or maps it in pg_ident.conf; what it may touch stands in
-- sql/definitions/grants.sql.
DO $$
DECLARE
    wanted record;
    setting text;
BEGIN
    FOR wanted IN
        SELECT *
        -- The autoscaler's statements go from a bounded number of rows to what belongs to each, by index; without joins of
        -- whole tables that stays so however few services there are when PostgreSQL makes its plan. And a pass that a
        -- crash of the server loses is made again, so its commits need not wait for the disk.
        FROM (VALUES ('skylark_api', 'Skylark: the FastCGI workers; writes what users want', '{}'::text[]),
                     ('skylark_deployer', 'Skylark: makes the engine match; writes what it observed', '{}'),
                     ('skylark_collector', 'Skylark: writes log rows and metric samples', '{}'),
                     ('skylark_autoscaler', 'Skylark: sets the count of AUTO services', '{enable_hashjoin,enable_mergejoin,synchronous_commit}'),
                     ('skylark_router', 'Skylark: writes which routes a front serves', '{}'),
                     ('skylark_dba', 'Skylark: reads everything but hashes; for people', '{}'))
             AS r (name, purpose, without)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I LOGIN', wanted.name);
                EXECUTE format('COMMENT ON ROLE %I IS %L', wanted.name, wanted.purpose);
                -- Short statements all: compiling one takes longer than running it a thousand times, and so does
                -- planning one anew each time.
                EXECUTE format('ALTER ROLE %I SET jit = off', wanted.name);
                EXECUTE format('ALTER ROLE %I SET plan_cache_mode = force_generic_plan', wanted.name);
                FOREACH setting IN ARRAY wanted.without LOOP
                    EXECUTE format('ALTER ROLE %I SET %I = off', wanted.name, setting);
                END LOOP;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                -- Roles belong to the cluster, skylarkctl's lock to one database: a migrate of another was quicker.
                NULL;
            END;
        END IF;
    END LOOP;
END
$$;
