-- The database roles, one a process and one for people who look. `skylarkctl migrate` applies this before all else, each time:
-- it only adds what is missing. A role here can log in once the operator gives it a password or maps it in pg_ident.conf. What
-- it may touch is in sql/definitions/grants.sql, its settings are in sql/definitions/roles.sql.
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT *
        FROM (VALUES ('skylark_api', 'Skylark: the FastCGI workers; writes what users want'),
                     ('skylark_deployer', 'Skylark: makes the engine match; writes what it observed'),
                     ('skylark_collector', 'Skylark: writes log rows and metric samples'),
                     ('skylark_autoscaler', 'Skylark: sets the count of AUTO services'),
                     ('skylark_router', 'Skylark: writes which routes a front serves'),
                     ('skylark_dba', 'Skylark: reads everything but hashes; for people'))
             AS r (name, purpose)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I LOGIN', wanted.name);
                EXECUTE format('COMMENT ON ROLE %I IS %L', wanted.name, wanted.purpose);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                -- Roles belong to the cluster, skylarkctl's lock to one database: a migrate of another was quicker.
                NULL;
            END;
        END IF;
    END LOOP;
END
$$;
