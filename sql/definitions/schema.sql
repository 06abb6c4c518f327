-- The schema itself, and what was applied to it: the tables of sql/bootstrap.sql.

COMMENT ON SCHEMA skylark IS 'Skylark, the self-hosted container service. Every process meets the others here and nowhere else.';

COMMENT ON TABLE skylark.schema_migrations IS 'One row an applied file of sql/tables/; forward only.';
COMMENT ON COLUMN skylark.schema_migrations.version IS 'Number at the front of the file name; applied in this order, without a gap.';
COMMENT ON COLUMN skylark.schema_migrations.name IS 'Rest of the file name.';
COMMENT ON COLUMN skylark.schema_migrations.checksum IS 'SHA-256 of the file as it was applied; an edited file is refused.';
COMMENT ON COLUMN skylark.schema_migrations.applied_at IS 'When it was applied.';
COMMENT ON COLUMN skylark.schema_migrations.applied_by IS 'Database role that applied it.';

COMMENT ON TABLE skylark.schema_definitions IS 'One row: which definitions (views, functions, triggers, rights, comments) were applied.';
COMMENT ON COLUMN skylark.schema_definitions.only_row IS 'Always true, so that there is one row.';
COMMENT ON COLUMN skylark.schema_definitions.checksum IS 'SHA-256 of sql/reset.sql and the files of sql/definitions/ as they were applied.';
COMMENT ON COLUMN skylark.schema_definitions.applied_at IS 'When they were applied.';
COMMENT ON COLUMN skylark.schema_definitions.applied_by IS 'Database role that applied them.';

COMMENT ON TABLE skylark.schema_objects IS 'What PostgreSQL made of the definitions when they were applied, so that skylarkctl doctor finds what was changed by hand since.';
COMMENT ON COLUMN skylark.schema_objects.kind IS 'view, function, trigger, right or comment.';
COMMENT ON COLUMN skylark.schema_objects.name IS 'Of what.';
COMMENT ON COLUMN skylark.schema_objects.definition IS 'As in schema_found.';

CREATE FUNCTION skylark.schema_found() RETURNS TABLE (kind text, name text, definition text)
    LANGUAGE sql STABLE SET search_path = pg_catalog
AS $$
    SELECT 'view', c.oid::regclass::text, pg_get_viewdef(c.oid)
    FROM pg_class c
    WHERE c.relnamespace = 'skylark'::regnamespace AND c.relkind IN ('v', 'm')
    UNION ALL
    SELECT 'function', p.oid::regprocedure::text, pg_get_functiondef(p.oid)
    FROM pg_proc p
    WHERE p.pronamespace = 'skylark'::regnamespace AND p.prokind <> 'a'
    UNION ALL
    SELECT 'trigger', t.tgname || ' on ' || t.tgrelid::regclass::text,
           pg_get_triggerdef(t.oid) || CASE t.tgenabled WHEN 'O' THEN '' ELSE ' (enabled: ' || t.tgenabled::text || ')' END
    FROM pg_trigger t
    JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = 'skylark'::regnamespace AND NOT t.tgisinternal AND t.tgparentid = 0
    UNION ALL
    SELECT 'right', 'of ' || COALESCE(r.rolname, 'public') || ' on ' || o.name,
           string_agg(a.privilege_type || CASE WHEN a.is_grantable THEN ' with grant option' ELSE '' END, ', '
                      ORDER BY a.privilege_type)
    FROM (SELECT 'schema ' || n.nspname AS name, n.nspowner AS owner, n.nspacl AS acl
          FROM pg_namespace n WHERE n.nspname = 'skylark'
          UNION ALL
          SELECT c.oid::regclass::text, c.relowner, c.relacl
          FROM pg_class c WHERE c.relnamespace = 'skylark'::regnamespace
          UNION ALL
          SELECT c.oid::regclass::text || '.' || a.attname, c.relowner, a.attacl
          FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
          WHERE c.relnamespace = 'skylark'::regnamespace AND a.attacl IS NOT NULL AND NOT a.attisdropped
          UNION ALL
          SELECT p.oid::regprocedure::text, p.proowner, COALESCE(p.proacl, acldefault('f', p.proowner))
          FROM pg_proc p WHERE p.pronamespace = 'skylark'::regnamespace
          UNION ALL
          SELECT 'type ' || t.oid::regtype::text, t.typowner, t.typacl
          FROM pg_type t WHERE t.typnamespace = 'skylark'::regnamespace AND t.typtype IN ('e', 'd')
          UNION ALL
          SELECT 'new ' || d.defaclobjtype::text, d.defaclrole, d.defaclacl
          FROM pg_default_acl d WHERE d.defaclnamespace = 'skylark'::regnamespace) o
    CROSS JOIN LATERAL aclexplode(o.acl) a
    LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE a.grantee <> o.owner
    GROUP BY r.rolname, o.name
    UNION ALL
    SELECT 'comment', 'on ' || pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description
    FROM pg_description d
    LEFT JOIN pg_class c ON d.classoid = 'pg_class'::regclass AND c.oid = d.objoid
    LEFT JOIN pg_proc p ON d.classoid = 'pg_proc'::regclass AND p.oid = d.objoid
    LEFT JOIN pg_type t ON d.classoid = 'pg_type'::regclass AND t.oid = d.objoid
    -- Partitions come and go with comments of their own.
    WHERE COALESCE(c.relnamespace, p.pronamespace, t.typnamespace) = 'skylark'::regnamespace AND c.relispartition IS NOT TRUE
$$;
COMMENT ON FUNCTION skylark.schema_found IS 'Everything in the schema that definitions say, as PostgreSQL has it now: views, functions, triggers, rights of roles other than the owner, comments.';

CREATE VIEW skylark.schema_differences AS
SELECT COALESCE(o.kind, f.kind) AS kind, COALESCE(o.name, f.name) AS name,
       CASE WHEN o.kind IS NULL THEN 'added' WHEN f.kind IS NULL THEN 'taken away' ELSE 'changed' END AS what
FROM skylark.schema_objects o
FULL JOIN skylark.schema_found() f ON (f.kind, f.name) = (o.kind, o.name)
WHERE o.definition IS DISTINCT FROM f.definition;
COMMENT ON VIEW skylark.schema_differences IS 'What was changed by hand since the definitions were applied. `skylarkctl doctor --fix` applies them again.';
COMMENT ON COLUMN skylark.schema_differences.kind IS 'view, function, trigger, right or comment.';
COMMENT ON COLUMN skylark.schema_differences.name IS 'Of what.';
COMMENT ON COLUMN skylark.schema_differences.what IS 'added, taken away or changed.';
