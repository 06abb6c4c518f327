/* skylarkctl migrate: once, twice, two at once, and what it refuses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/db.h"
#include "gen/schema.h"
#include "tests/sql/suites.h"

/* skylarkctl ends with that status; its output is the caller's to free. */
static char *ctl(const char *database, const char *words, int expected)
{
    char *output;
    int status = sql_ctl(database, words, &output);
    CHECK(status == expected, "skylarkctl %s: status %d: %s", words, status, output);
    return output;
}

static void test_fresh_and_again(void)
{
    char *first, *second;
    sql_database("m1");
    first = ctl("m1", "migrate", 0);
    CHECK(strstr(first, "applied 0001_tenancy") != NULL, "%s", first);
    second = ctl("m1", "migrate", 0);
    CHECK(strstr(second, "applied") == NULL, "%s", second);
    PGconn *c = sql_connect("m1", NULL);
    CHECK(atoi(sql_value(c, "SELECT count(*) FROM skylark.schema_migrations")) == db_schema_version, "not all are noted");
    PQfinish(c);
    free(first);
    free(second);
}

static void test_two_at_once(void)
{
    char command[1500];
    sql_database("m2");
    snprintf(command, sizeof command,
             "for i in 1 2 3; do %s -o 'database=%s dbname=m2' migrate >/dev/null 2>&1 & p=\"$p $!\"; done; "
             "for i in $p; do wait $i || exit 1; done",
             getenv("SKYLARK_TEST_CTL"), getenv("SKYLARK_TEST_PG"));
    CHECK(system(command) == 0, "one of three at once failed");
    PGconn *c = sql_connect("m2", NULL);
    CHECK(atoi(sql_value(c, "SELECT count(*) FROM skylark.schema_migrations")) == db_schema_version, "not all are noted");
    PQfinish(c);
}

/* Each way of tampering: refused by skylarkctl with words, and by the processes as a schema that they don't know. */
static void test_refused(void)
{
    static const struct {
        const char *change, *says;
    } rows[] = {
        /* as when the file was edited */
        {"UPDATE skylark.schema_migrations SET checksum = repeat('0', 64) WHERE version = 2", "in another form"},
        {"DELETE FROM skylark.schema_migrations WHERE version = 2", "is missing although"},
        {"INSERT INTO skylark.schema_migrations (version, name, checksum) SELECT max(version) + 1, 'later', repeat('0', 64) "
         "FROM skylark.schema_migrations", "install the newer program"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *output;
        sql_database("m3");
        REQUIRE(sql_ctl("m3", "migrate", NULL) == 0, "migrate");
        PGconn *c = sql_connect("m3", NULL);
        CHECK(sql_run(c, "%s", rows[i].change)[0] == '\0', "%s", PQerrorMessage(c));
        output = ctl("m3", "migrate", 1);
        CHECK(strstr(output, rows[i].says) != NULL, "%s", output);
        free(output);
        output = ctl("m3", "status", 1);
        CHECK(strstr(output, "schema is version") != NULL, "%s", output);
        free(output);
        char conninfo[300];
        snprintf(conninfo, sizeof conninfo, "%s dbname=m3", getenv("SKYLARK_TEST_PG"));
        struct db_options options = {.conninfo = conninfo, .application_name = "test", .connect_deadline_ms = 5000,
                                     .query_deadline_ms = 5000};
        struct db *db = db_create(&options);
        CHECK(db_connect(db) == DB_SCHEMA, "a process would serve it");
        db_free(db);
        PQfinish(c);
    }
}

/* A file that fails half-way leaves nothing of itself, nor of those before it. */
static void test_failure_rolls_back(void)
{
    char *output;
    sql_database("m4");
    PGconn *c = sql_connect("m4", NULL);
    sql_run(c, "CREATE SCHEMA skylark; CREATE TABLE skylark.services (id int)");
    output = ctl("m4", "migrate", 1);
    CHECK(strstr(output, "0002_services") != NULL && strstr(output, "already exists") != NULL, "%s", output);
    CHECK(strcmp(sql_value(c, "SELECT count(*) FROM skylark.schema_migrations"), "0") == 0, "a part of it is noted");
    CHECK(strcmp(sql_value(c, "SELECT to_regclass('skylark.namespaces') IS NULL"), "t") == 0, "a part of it stayed");
    free(output);
    PQfinish(c);
}

/* Other definitions than this program's, as an older or newer one leaves them, with all kinds of things that this program's
 * files do not have: after migrate they are as on a fresh database. */
static void test_definitions(void)
{
    static const char *const changes[] = {
        "CREATE OR REPLACE FUNCTION skylark.iso_time(t timestamptz) RETURNS text LANGUAGE sql IMMUTABLE STRICT RETURN 'older'",
        "CREATE VIEW skylark.removed_view AS SELECT * FROM skylark.service_documents",
        "CREATE FUNCTION skylark.removed_function(v skylark.removed_view) RETURNS bigint LANGUAGE sql RETURN v.seq",
        "CREATE VIEW skylark.removed_top AS SELECT skylark.removed_function(v) FROM skylark.removed_view v",
        "CREATE MATERIALIZED VIEW skylark.removed_copy AS SELECT * FROM skylark.services_overview",
        "CREATE TRIGGER removed_trigger AFTER UPDATE ON skylark.users FOR EACH ROW EXECUTE FUNCTION skylark.routes_changed()",
        "GRANT DELETE ON skylark.services TO skylark_dba",
        "GRANT UPDATE (name) ON skylark.services TO PUBLIC",
        "GRANT USAGE ON SEQUENCE skylark.service_port_turn TO skylark_dba",
        "GRANT CREATE ON SCHEMA skylark TO skylark_api",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA skylark GRANT SELECT ON TABLES TO skylark_router",
        "COMMENT ON TABLE skylark.services IS 'older'",
    };
    /* Everything that pg_catalog knows of the schema and that definitions say. Rights that the owner has are no grants. */
    static const char described[] =
        "SELECT md5(string_agg(line, E'\\n' ORDER BY line COLLATE \"C\")) FROM ("
        "SELECT c.relname || pg_get_viewdef(c.oid) FROM pg_class c WHERE relnamespace = 'skylark'::regnamespace AND relkind IN ('v', 'm') "
        "UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'skylark'::regnamespace "
        "UNION ALL SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t WHERE NOT tgisinternal "
        "UNION ALL SELECT description FROM pg_description WHERE objoid > 16383 "
        "UNION ALL SELECT name || grantee::regrole || privilege_type FROM ("
        "SELECT oid::regprocedure::text, COALESCE(proacl, acldefault('f', proowner)), proowner FROM pg_proc WHERE pronamespace = 'skylark'::regnamespace "
        "UNION ALL SELECT relname, relacl, relowner FROM pg_class WHERE relnamespace = 'skylark'::regnamespace "
        "UNION ALL SELECT attrelid::regclass || attname, attacl, 1 FROM pg_attribute WHERE attrelid > 16383 "
        "UNION ALL SELECT nspname, nspacl, nspowner FROM pg_namespace WHERE nspname = 'skylark' "
        "UNION ALL SELECT 'default', defaclacl, defaclrole FROM pg_default_acl) AS o (name, acl, owner) "
        "CROSS JOIN LATERAL aclexplode(o.acl) a WHERE a.grantee <> o.owner) AS lines (line)";
    sql_database("m5");
    REQUIRE(sql_ctl("m5", "migrate", NULL) == 0, "migrate");
    PGconn *c = sql_connect("m5", NULL);
    char fresh[64], changed[64];
    snprintf(fresh, sizeof fresh, "%s", sql_value(c, "%s", described));
    CHECK(strlen(fresh) == 32, "the schema is described by %s", fresh);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        snprintf(changed, sizeof changed, "%s", sql_value(c, "%s", described));
        CHECK(sql_run(c, "%s", changes[i])[0] == '\0', "%s: %s", changes[i], PQerrorMessage(c));
        CHECK(strcmp(changed, sql_value(c, "%s", described)) != 0, "the description does not see: %s", changes[i]);
    }
    CHECK(sql_run(c, "UPDATE skylark.schema_definitions SET checksum = repeat('0', 64)")[0] == '\0', "%s", PQerrorMessage(c));
    char *output = ctl("m5", "status", 1);
    CHECK(strstr(output, "its definitions differ; run skylarkctl migrate") != NULL, "a process would serve it: %s", output);
    free(output);
    output = ctl("m5", "migrate --status", 0);
    CHECK(strstr(output, "definitions  applied in another form") != NULL, "%s", output);
    free(output);
    output = ctl("m5", "migrate", 0);
    CHECK(strstr(output, "applied the definitions") != NULL && strstr(output, "applied 0001") == NULL, "%s", output);
    free(output);
    CHECK(strcmp(fresh, sql_value(c, "%s", described)) == 0, "not as on a fresh database");
    free(ctl("m5", "status", 0));
    /* A view of somebody's own elsewhere is not dropped behind their back: it is named, and nothing has changed. */
    sql_run(c, "CREATE SCHEMA theirs; CREATE VIEW theirs.report AS SELECT * FROM skylark.services_overview");
    sql_run(c, "UPDATE skylark.schema_definitions SET checksum = repeat('0', 64)");
    output = ctl("m5", "migrate", 1);
    CHECK(strstr(output, "theirs.report") != NULL, "%s", output);
    free(output);
    CHECK(sql_run(c, "TABLE theirs.report")[0] == '\0', "%s", PQerrorMessage(c));
    PQfinish(c);
}

/* What a person changed by hand in what definitions say: doctor names it, and --fix takes it back. */
static void test_doctor(void)
{
    static const struct {
        const char *change, *says;
    } rows[] = {
        {"GRANT DELETE ON skylark.services TO skylark_dba", "right of skylark_dba on skylark.services changed"},
        {"GRANT SELECT ON skylark.links TO PUBLIC", "right of public on skylark.links added"},
        {"GRANT UPDATE (name) ON skylark.services TO skylark_router", "right of skylark_router on skylark.services.name added"},
        {"REVOKE SELECT ON skylark.services FROM skylark_api", "right of skylark_api on skylark.services changed"},
        {"CREATE VIEW skylark.mine AS SELECT 1", "view skylark.mine added"},
        {"DROP VIEW skylark.table_sizes", "view skylark.table_sizes taken away"},
        {"CREATE OR REPLACE FUNCTION skylark.iso_time(t timestamptz) RETURNS text LANGUAGE sql IMMUTABLE STRICT RETURN 'x'",
         "function skylark.iso_time(timestamp with time zone) changed"},
        {"ALTER TABLE skylark.services DISABLE TRIGGER services_derive", "trigger services_derive on skylark.services changed"},
        {"DROP TRIGGER services_updated ON skylark.services", "trigger services_updated on skylark.services taken away"},
        {"ALTER ROLE skylark_api SET jit = on", "skylark_api: jit is on, not off"},
        {"ALTER ROLE skylark_api RESET plan_cache_mode", "skylark_api: plan_cache_mode is not set, not force_generic_plan"},
        {"ALTER ROLE skylark_autoscaler IN DATABASE m6 SET enable_hashjoin = on",
         "skylark_autoscaler: enable_hashjoin is on, not off (in this database)"},
    };
    sql_database("m6");
    REQUIRE(sql_ctl("m6", "migrate", NULL) == 0, "migrate");
    PGconn *c = sql_connect("m6", NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK(sql_run(c, "%s", rows[i].change)[0] == '\0', "%s: %s", rows[i].change, PQerrorMessage(c));
        char *output = ctl("m6", "doctor", 1);
        CHECK(strstr(output, rows[i].says) != NULL, "%s, not %s", output, rows[i].says);
        free(output);
        sql_ctl("m6", "doctor --fix", &output); /* which fails all the same: no deployer has reported */
        CHECK(strstr(output, "ok    role settings") != NULL && strstr(output, "ok    definitions") != NULL, "%s: %s",
              rows[i].change, output);
        free(output);
    }
    CHECK(strcmp(sql_value(c, "SELECT has_table_privilege('skylark_dba', 'skylark.services', 'DELETE')"), "f") == 0, "it stayed");
    CHECK(strcmp(sql_value(c, "SELECT has_table_privilege('skylark_api', 'skylark.services', 'SELECT')"), "t") == 0, "it stayed");
    /* migrate sets the roles' settings each time, and an operator's own stay. */
    sql_run(c, "ALTER ROLE skylark_api SET jit = on");
    sql_run(c, "ALTER ROLE skylark_api SET work_mem = '5MB'");
    char *output = ctl("m6", "migrate", 0);
    CHECK(strstr(output, "changed 1 settings of roles") != NULL, "%s", output);
    free(output);
    CHECK(strcmp(sql_value(c, "SELECT 'work_mem=5MB' = ANY (rolconfig) AND 'jit=off' = ANY (rolconfig) FROM pg_roles WHERE rolname = 'skylark_api'"),
                 "t") == 0, "settings of skylark_api");
    sql_run(c, "ALTER ROLE skylark_api RESET work_mem");
    free(ctl("m6", "doctor --mend", 2));
    PQfinish(c);
}

static void test_unreachable(void)
{
    char *output;
    output = ctl("no_such_database", "migrate", 1);
    CHECK(strstr(output, "does not exist") != NULL, "%s", output);
    free(output);
    output = ctl("postgres", "status", 1);
    CHECK(strstr(output, "run skylarkctl migrate") != NULL, "%s", output);
    free(output);
    output = ctl("postgres", "no such command", 2);
    free(output);
}

const struct check_test tests_migrate[] = {
    {"fresh, and again", test_fresh_and_again},
    {"three at once", test_two_at_once},
    {"what is refused", test_refused},
    {"a failure leaves nothing", test_failure_rolls_back},
    {"other definitions", test_definitions},
    {"doctor, and its --fix", test_doctor},
    {"what can't be reached", test_unreachable},
    {NULL, NULL},
};
