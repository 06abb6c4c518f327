-- Takes away all that sql/definitions/ says, so that it can be said anew: triggers, views, functions and every right in the
-- schema, also what is in the files no longer and what somebody added by hand. `skylarkctl migrate` runs this in the
-- transaction that applies the definitions. What stays: functions that a table's constraint, default or index uses (they are
-- in sql/tables/), and all that belongs to an extension.
DO $$
DECLARE
    thing record;
BEGIN
    FOR thing IN
        SELECT t.tgname, t.tgrelid::regclass AS relation
        FROM pg_trigger t
        JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'skylark'::regnamespace AND NOT t.tgisinternal AND t.tgparentid = 0
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_trigger'::regclass AND d.objid = t.oid AND d.deptype = 'e')
        ORDER BY c.relname, t.tgname
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', thing.tgname, thing.relation);
    END LOOP;
END
$$;

DO $$
DECLARE
    thing record;
    dropped integer;
    kept integer;
    users text;
BEGIN
    -- What others use can't be dropped before they are: round after round, until nothing is left. If a round drops
    -- nothing, something outside the schema, such as a DBA's own view, uses the rest.
    LOOP
        dropped := 0;
        kept := 0;
        FOR thing IN
            SELECT CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END AS kind, c.oid::regclass::text AS name
            FROM pg_class c
            WHERE c.relnamespace = 'skylark'::regnamespace AND c.relkind IN ('v', 'm')
              AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
            UNION ALL
            SELECT 'ROUTINE', p.oid::regprocedure::text
            FROM pg_proc p
            WHERE p.pronamespace = 'skylark'::regnamespace
              AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
              AND NOT EXISTS (SELECT FROM pg_depend d
                              WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid
                                AND d.classid IN ('pg_constraint'::regclass, 'pg_attrdef'::regclass, 'pg_class'::regclass))
        LOOP
            BEGIN
                EXECUTE format('DROP %s %s', thing.kind, thing.name);
                dropped := dropped + 1;
            EXCEPTION WHEN dependent_objects_still_exist THEN
                kept := kept + 1;
                GET STACKED DIAGNOSTICS users = PG_EXCEPTION_DETAIL;
            END;
        END LOOP;
        EXIT WHEN kept = 0;
        IF dropped = 0 THEN
            RAISE EXCEPTION 'objects outside schema skylark use its views or functions; drop them first: %', users
                USING ERRCODE = 'dependent_objects_still_exist';
        END IF;
    END LOOP;
END
$$;

-- Rights: of each kind of object, whoever has any on it, columns and default privileges too.
DO $$
DECLARE
    given record;
BEGIN
    FOR given IN
        SELECT DISTINCT o.kind, o.name, a.grantee, COALESCE(quote_ident(r.rolname), 'PUBLIC') AS grantee_name
        FROM (SELECT 'SCHEMA' AS kind, quote_ident(n.nspname) AS name, n.nspowner AS owner, n.nspacl AS acl
              FROM pg_namespace n WHERE n.nspname = 'skylark'
              UNION ALL
              SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass::text, c.relowner, c.relacl
              FROM pg_class c WHERE c.relnamespace = 'skylark'::regnamespace
              UNION ALL
              SELECT 'TABLE', c.oid::regclass::text, c.relowner, a.attacl
              FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
              WHERE c.relnamespace = 'skylark'::regnamespace AND NOT a.attisdropped
              UNION ALL
              SELECT 'ROUTINE', p.oid::regprocedure::text, p.proowner, p.proacl
              FROM pg_proc p WHERE p.pronamespace = 'skylark'::regnamespace
              UNION ALL
              SELECT 'TYPE', t.oid::regtype::text, t.typowner, t.typacl
              FROM pg_type t WHERE t.typnamespace = 'skylark'::regnamespace AND t.typtype IN ('e', 'd')) o
        CROSS JOIN LATERAL aclexplode(o.acl) a
        LEFT JOIN pg_roles r ON r.oid = a.grantee
        WHERE a.grantee <> o.owner
    LOOP
        EXECUTE format('REVOKE ALL ON %s %s FROM %s CASCADE', given.kind, given.name, given.grantee_name);
    END LOOP;
    FOR given IN
        SELECT DISTINCT o.rolname AS owner, CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES'
                                                               WHEN 'f' THEN 'ROUTINES' WHEN 'T' THEN 'TYPES' END AS kind,
               COALESCE(quote_ident(r.rolname), 'PUBLIC') AS grantee_name
        FROM pg_default_acl d
        JOIN pg_roles o ON o.oid = d.defaclrole
        CROSS JOIN LATERAL aclexplode(d.defaclacl) a
        LEFT JOIN pg_roles r ON r.oid = a.grantee
        WHERE d.defaclnamespace = 'skylark'::regnamespace AND d.defaclobjtype IN ('r', 'S', 'f', 'T')
    LOOP
        EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA skylark REVOKE ALL ON %s FROM %s', given.owner, given.kind,
                       given.grantee_name);
    END LOOP;
END
$$;
