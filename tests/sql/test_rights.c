/* Least rights: who may do what to which table, compared with what is meant; and a comment on everything. */
#include <string.h>

#include "tests/sql/suites.h"

/* s select, i insert, u update (of any column), d delete, on any column. Tables that are not named: nothing. */
static const struct {
    const char *role, *table, *rights;
} meant[] = {
    {"skylark_api", "schema_migrations", "s"}, {"skylark_api", "installation", "s"}, {"skylark_api", "namespaces", "s"},
    {"skylark_api", "memberships", "s"}, {"skylark_api", "users", "s"}, {"skylark_api", "api_tokens", "su"},
    {"skylark_api", "instance_sizes", "s"}, {"skylark_api", "services", "siu"},
    {"skylark_api", "envvars", "siud"}, {"skylark_api", "ports", "siud"}, {"skylark_api", "volumes", "siud"},
    {"skylark_api", "links", "siud"}, {"skylark_api", "autoscaling_settings", "siud"}, {"skylark_api", "reconcile_queue", "s"},
    {"skylark_api", "service_status", "s"}, {"skylark_api", "instances", "s"}, {"skylark_api", "engines", "s"},
    {"skylark_api", "image_pulls", "s"}, {"skylark_api", "events", "si"}, {"skylark_api", "log_rows", "s"},
    {"skylark_api", "log_positions", "s"}, {"skylark_api", "metric_samples", "s"}, {"skylark_api", "autoscaling_queue", "s"},
    {"skylark_api", "autoscaling_decisions", "s"},
    {"skylark_autoscaler", "schema_migrations", "s"}, {"skylark_autoscaler", "namespaces", "s"},
    {"skylark_autoscaler", "services", "su"}, {"skylark_autoscaler", "autoscaling_settings", "s"},
    {"skylark_autoscaler", "service_status", "s"},
    {"skylark_autoscaler", "instances", "s"}, {"skylark_autoscaler", "metric_samples", "s"},
    {"skylark_autoscaler", "autoscaling_queue", "su"}, {"skylark_autoscaler", "autoscaling_decisions", "si"},
    {"skylark_autoscaler", "events", "i"},
    {"skylark_deployer", "schema_migrations", "s"}, {"skylark_deployer", "installation", "su"}, {"skylark_deployer", "namespaces", "s"},
    {"skylark_deployer", "instance_sizes", "s"}, {"skylark_deployer", "services", "sd"}, {"skylark_deployer", "envvars", "s"},
    {"skylark_deployer", "ports", "s"}, {"skylark_deployer", "volumes", "s"}, {"skylark_deployer", "links", "s"},
    {"skylark_deployer", "autoscaling_settings", "s"}, {"skylark_deployer", "reconcile_queue", "su"}, {"skylark_deployer", "wakes", "siud"},
    {"skylark_deployer", "service_status", "siu"}, {"skylark_deployer", "instances", "siu"}, {"skylark_deployer", "engines", "siu"},
    {"skylark_deployer", "image_pulls", "siud"}, {"skylark_deployer", "events", "si"}, {"skylark_deployer", "log_rows", "s"},
    {"skylark_deployer", "log_positions", "s"},
    {"skylark_collector", "schema_migrations", "s"}, {"skylark_collector", "installation", "s"}, {"skylark_collector", "instances", "s"},
    {"skylark_collector", "engines", "s"}, {"skylark_collector", "wakes", "i"}, {"skylark_collector", "log_rows", "si"},
    {"skylark_collector", "log_positions", "siu"}, {"skylark_collector", "metric_samples", "i"},
    {"skylark_dba", "schema_migrations", "s"}, {"skylark_dba", "installation", "s"}, {"skylark_dba", "namespaces", "s"},
    {"skylark_dba", "memberships", "s"}, {"skylark_dba", "users", "s"}, {"skylark_dba", "api_tokens", "s"},
    {"skylark_dba", "login_failures", "s"}, {"skylark_dba", "quotas", "s"}, {"skylark_api", "quotas", "s"}, {"skylark_dba", "login_totals", "s"}, {"skylark_dba", "login_addresses", "s"}, {"skylark_dba", "instance_sizes", "s"}, {"skylark_dba", "services", "s"},
    {"skylark_dba", "envvars", "s"}, {"skylark_dba", "ports", "s"}, {"skylark_dba", "volumes", "s"}, {"skylark_dba", "links", "s"},
    {"skylark_dba", "autoscaling_settings", "s"}, {"skylark_dba", "reconcile_queue", "s"}, {"skylark_dba", "wakes", "s"}, {"skylark_dba", "service_status", "s"},
    {"skylark_dba", "instances", "s"}, {"skylark_dba", "engines", "s"}, {"skylark_dba", "image_pulls", "s"}, {"skylark_dba", "events", "s"},
    {"skylark_dba", "log_rows", "s"}, {"skylark_dba", "log_positions", "s"}, {"skylark_dba", "metric_samples", "s"},
    {"skylark_dba", "autoscaling_queue", "s"}, {"skylark_dba", "autoscaling_decisions", "s"},
    {"skylark_api", "custom_domains", "siud"}, {"skylark_api", "volume_types", "s"}, {"skylark_api", "instance_ports", "s"},
    {"skylark_api", "fronts", "s"}, {"skylark_deployer", "custom_domains", "s"}, {"skylark_deployer", "volume_types", "s"},
    {"skylark_deployer", "instance_ports", "siu"}, {"skylark_deployer", "fronts", "s"},
    {"skylark_dba", "custom_domains", "s"}, {"skylark_dba", "volume_types", "s"}, {"skylark_dba", "instance_ports", "s"},
    {"skylark_dba", "fronts", "s"}, {"skylark_router", "schema_migrations", "s"}, {"skylark_router", "installation", "s"},
    {"skylark_router", "namespaces", "s"}, {"skylark_router", "services", "s"}, {"skylark_router", "ports", "s"},
    {"skylark_router", "custom_domains", "s"}, {"skylark_router", "instances", "s"},
    {"skylark_router", "instance_ports", "s"}, {"skylark_router", "fronts", "siu"},
    {"skylark_router", "wakes", "i"}, {"skylark_api", "kept_volumes", "s"},
    {"skylark_deployer", "kept_volumes", "si"}, {"skylark_dba", "kept_volumes", "s"},
    {"skylark_api", "schema_definitions", "s"}, {"skylark_autoscaler", "schema_definitions", "s"},
    {"skylark_deployer", "schema_definitions", "s"}, {"skylark_collector", "schema_definitions", "s"},
    {"skylark_router", "schema_definitions", "s"}, {"skylark_dba", "schema_definitions", "s"},
    {"skylark_dba", "schema_objects", "s"},
};

static const char *meant_for(const char *role, const char *table)
{
    for (size_t i = 0; i < sizeof meant / sizeof meant[0]; i++) {
        if (strcmp(meant[i].role, role) == 0 && strcmp(meant[i].table, table) == 0)
            return meant[i].rights;
    }
    return "";
}

static void test_matrix(void)
{
    PGconn *c = sql_migrated();
    PGresult *r = PQexec(c,
        "SELECT r.rolname AS role, t.relname AS table, "
        "       CASE WHEN has_any_column_privilege(r.oid, t.oid, 'SELECT') THEN 's' ELSE '' END || "
        "       CASE WHEN has_any_column_privilege(r.oid, t.oid, 'INSERT') THEN 'i' ELSE '' END || "
        "       CASE WHEN has_any_column_privilege(r.oid, t.oid, 'UPDATE') THEN 'u' ELSE '' END || "
        "       CASE WHEN has_table_privilege(r.oid, t.oid, 'DELETE') THEN 'd' ELSE '' END || "
        "       CASE WHEN has_table_privilege(r.oid, t.oid, 'TRUNCATE') THEN 't' ELSE '' END AS rights "
        "FROM pg_roles r, pg_class t "
        "WHERE r.rolname LIKE 'skylark%' AND t.relnamespace = 'skylark'::regnamespace AND t.relkind IN ('r', 'p')");
    CHECK(PQntuples(r) > 80, "only %d pairs", PQntuples(r));
    for (int i = 0; i < PQntuples(r); i++) {
        const char *role = sql_column(r, i, "role"), *table = sql_column(r, i, "table"), *rights = sql_column(r, i, "rights");
        CHECK(strcmp(rights, meant_for(role, table)) == 0, "%s on %s: has \"%s\", should have \"%s\"", role, table, rights,
              meant_for(role, table));
    }
    PQclear(r);
}

static void test_secrets(void)
{
    static const char *const refused[] = {
        "SELECT password_hash FROM skylark.users", "SELECT token_hash FROM skylark.api_tokens", "SELECT * FROM skylark.users",
        "DELETE FROM skylark.services", "UPDATE skylark.services SET name = 'x'", "CREATE TABLE skylark.x (a int)",
        "SELECT skylark.partition_make('log_rows', current_date)", "SELECT * FROM skylark.access('x', 'y')",
    };
    sql_migrated();
    PGconn *c = sql_connect("skylark_shared", "skylark_dba");
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        CHECK(strcmp(sql_run(c, "%s", refused[i]), "42501") == 0, "the DBA role may: %s", refused[i]);
    CHECK(sql_run(c, "TABLE skylark.services_overview")[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(sql_run(c, "TABLE skylark.schema_differences")[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(sql_run(c, "TABLE skylark.role_setting_differences")[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(sql_run(c, "TABLE skylark.instances_overview")[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(sql_run(c, "TABLE skylark.busiest_log_writers")[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(sql_run(c, "TABLE skylark.autoscaling_overview")[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(sql_run(c, "TABLE skylark.metrics_overview")[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(sql_run(c, "TABLE skylark.endpoints_overview")[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(sql_run(c, "TABLE skylark.table_sizes")[0] == '\0', "%s", PQerrorMessage(c));
    PQfinish(c);
    /* One writer a fact: the API's role can't say what runs, the deployer's can't say what is wanted. */
    c = sql_connect("skylark_shared", "skylark_api");
    CHECK(strcmp(sql_run(c, "UPDATE skylark.services SET last_autoscaled_at = now()"), "42501") == 0, "the API may autoscale");
    PQfinish(c);
    c = sql_connect("skylark_shared", "skylark_autoscaler");
    CHECK(strcmp(sql_run(c, "UPDATE skylark.services SET target_state = 'STOPPED'"), "42501") == 0, "the autoscaler may stop");
    PQfinish(c);
    c = sql_connect("skylark_shared", "skylark_deployer");
    CHECK(strcmp(sql_run(c, "UPDATE skylark.installation SET base_domain = 'x.y'"), "42501") == 0, "the deployer may rename all");
    PQfinish(c);
}

static void test_comments(void)
{
    PGconn *c = sql_migrated();
    static const char *const missing[] = {
        "SELECT string_agg(c.relname, ', ') FROM pg_class c WHERE c.relnamespace = 'skylark'::regnamespace "
        "AND c.relkind IN ('r', 'p', 'v') AND obj_description(c.oid, 'pg_class') IS NULL",
        "SELECT string_agg(c.relname || '.' || a.attname, ', ') FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
        "WHERE c.relnamespace = 'skylark'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT (c.relispartition AND c.relname ~ '[0-9]{8}$') "
        "AND a.attnum > 0 AND NOT a.attisdropped AND col_description(c.oid, a.attnum) IS NULL",
        "SELECT string_agg(p.proname, ', ') FROM pg_proc p WHERE p.pronamespace = 'skylark'::regnamespace "
        "AND obj_description(p.oid, 'pg_proc') IS NULL",
        "SELECT string_agg(p.proname, ', ') FROM pg_proc p WHERE p.pronamespace = 'skylark'::regnamespace AND p.prosecdef "
        "AND NOT EXISTS (SELECT FROM unnest(p.proconfig) s WHERE s LIKE 'search_path=%')",
    };
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        const char *names = sql_value(c, "%s", missing[i]);
        CHECK(names[0] == '\0', "without a comment, or with an open search_path: %s", names);
    }
}

const struct check_test tests_rights[] = {
    {"the matrix", test_matrix},
    {"secrets, and one writer a fact", test_secrets},
    {"everything bears a comment", test_comments},
    {NULL, NULL},
};
