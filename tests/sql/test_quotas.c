/* Quotas hold for whoever changes a service, over SQL as well, also at the same time; and only for what grows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sql/suites.h"

#define SECOND "22222222-2222-4222-8222-222222222222"
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void quotas(PGconn *c, const char *name, const char *maximum)
{
    sql_run(c, "DELETE FROM skylark.quotas WHERE namespace_id IS NOT NULL");
    if (name != NULL)
        CHECK(sql_run(c, "INSERT INTO skylark.quotas SELECT id, '%s', %s FROM skylark.namespaces WHERE name = 'demo'", name, maximum)[0] == '\0',
              "%s", PQerrorMessage(c));
}

/* Two services of demo: web, STARTED with an instance of XS; and second, STOPPED with three. */
static PGconn *two(void)
{
    PGconn *c = sql_with_service();
    quotas(c, NULL, NULL);
    CHECK(sql_run(c, "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by, target_state, target_num_instances) "
                     "SELECT '" SECOND "', id, 'second', 'nginx', 'XS', 'demo', 'STOPPED', 3 FROM skylark.namespaces WHERE name = 'demo'")[0] == '\0',
          "%s", PQerrorMessage(c));
    return c;
}

static int used(PGconn *c, const char *name)
{
    return atoi(sql_value(c, "SELECT skylark.quota_used(id, '%s') FROM skylark.namespaces WHERE name = 'demo'", name));
}

/* Each step takes one more than there was: refused where that was the limit, and done where it is one more. */
static void test_each(void)
{
    static const struct {
        const char *name, *before, *step;
        int from, to;
    } rows[] = {
        {"services", "", "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by) "
                         "SELECT gen_random_uuid(), namespace_id, 'third', 'x', 'XS', 'demo' FROM skylark.services LIMIT 1", 2, 3},
        {"instances", "", "UPDATE skylark.services SET target_num_instances = 2 WHERE name = 'web'", 1, 2},
        {"instances", "", "UPDATE skylark.services SET target_state = 'STARTED' WHERE name = 'second'", 1, 4},
        {"instances", "", "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by) "
                          "SELECT gen_random_uuid(), namespace_id, 'third', 'x', 'XS', 'demo' FROM skylark.services LIMIT 1", 1, 2},
        {"cpu_millis", "", "UPDATE skylark.services SET instance_size = 'S' WHERE name = 'web'", 250, 500},
        {"cpu_millis", "", "UPDATE skylark.services SET target_num_instances = 4 WHERE name = 'web'", 250, 1000},
        {"memory_mib", "", "UPDATE skylark.services SET instance_size = 'M' WHERE name = 'web'", 256, 1024},
        {"public_ports", "", "INSERT INTO skylark.ports (service_id, container_port) VALUES ('" SQL_SERVICE "', 80), ('" SQL_SERVICE "', 81)", 0, 2},
        {"public_ports", "INSERT INTO skylark.ports (service_id, container_port, endpoint_type) VALUES ('" SQL_SERVICE "', 80, 'http-endpoint')",
         "UPDATE skylark.ports SET endpoint_type = 'tcp-endpoint'", 0, 1},
        {"volumes", "", "INSERT INTO skylark.volumes (service_id, app_volume_dir, size_gb) VALUES ('" SECOND "', '/a', 2)", 0, 3},
        {"volumes", "INSERT INTO skylark.volumes (service_id, app_volume_dir, size_gb) VALUES ('" SECOND "', '/a', 2)",
         "UPDATE skylark.services SET target_num_instances = 4 WHERE name = 'second'", 3, 4},
        {"volume_gib", "", "INSERT INTO skylark.volumes (service_id, app_volume_dir, size_gb) VALUES ('" SECOND "', '/a', 2)", 0, 6},
        {"volume_gib", "INSERT INTO skylark.volumes (service_id, app_volume_dir, size_gb) VALUES ('" SECOND "', '/a', 2)",
         "BEGIN; DELETE FROM skylark.volumes; INSERT INTO skylark.volumes (service_id, app_volume_dir, size_gb) VALUES ('" SECOND "', '/a', 3); COMMIT", 6, 9},
        {"networks", "", "INSERT INTO skylark.ports (service_id, container_port, endpoint_type) VALUES ('" SQL_SERVICE "', 80, 'internal-endpoint')", 1, 2},
        {"networks", "INSERT INTO skylark.ports (service_id, container_port, endpoint_type) VALUES ('" SQL_SERVICE "', 80, 'internal-endpoint')",
         "INSERT INTO skylark.links (namespace_id, service_id, target_service_id, alias) "
         "SELECT namespace_id, '" SECOND "', '" SQL_SERVICE "', 'a' FROM skylark.services LIMIT 1", 2, 3},
        {"domains", "", "INSERT INTO skylark.custom_domains (name, service_id, position) VALUES ('a.example.com', '" SQL_SERVICE "', 1)", 0, 1},
        {"tokens", "DELETE FROM skylark.api_tokens",
         "INSERT INTO skylark.api_tokens (user_id, token_hash, token_prefix) SELECT id, sha256('q'), 'abcdefgh' FROM skylark.users", 0, 1},
        {"tokens", "DELETE FROM skylark.api_tokens; INSERT INTO skylark.api_tokens (user_id, token_hash, token_prefix, revoked_at) "
                   "SELECT id, sha256('q'), 'abcdefgh', now() FROM skylark.users", "UPDATE skylark.api_tokens SET revoked_at = NULL", 0, 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char limit[24], constraint[64] = "", wanted[64];
        PGconn *c = two();
        CHECK(rows[i].before[0] == '\0' || sql_run(c, "%s", rows[i].before)[0] == '\0', "%s: %s", rows[i].before, PQerrorMessage(c));
        CHECK(used(c, rows[i].name) == rows[i].from, "%s: %d, not %d before: %s", rows[i].name, used(c, rows[i].name), rows[i].from, rows[i].step);
        snprintf(limit, sizeof limit, "%d", rows[i].to - 1);
        quotas(c, rows[i].name, limit);
        PGresult *r = PQexec(c, rows[i].step);
        if (PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME) != NULL)
            snprintf(constraint, sizeof constraint, "%s", PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME));
        snprintf(wanted, sizeof wanted, "quota_%s", rows[i].name);
        CHECK(strcmp(constraint, wanted) == 0, "%s: %s, not refused: %s %s", rows[i].name, constraint, rows[i].step, PQresultErrorMessage(r));
        CHECK(constraint[0] == '\0' || (strstr(PQresultErrorMessage(r), rows[i].name) != NULL && strstr(PQresultErrorMessage(r), limit) != NULL),
              "%s", PQresultErrorMessage(r));
        PQclear(r);
        sql_run(c, "ROLLBACK");
        CHECK(used(c, rows[i].name) == rows[i].from, "%s: half of it stayed", rows[i].step);
        snprintf(limit, sizeof limit, "%d", rows[i].to);
        quotas(c, rows[i].name, limit);
        CHECK(sql_run(c, "%s", rows[i].step)[0] == '\0', "%s at the limit: %s", rows[i].step, PQerrorMessage(c));
        CHECK(used(c, rows[i].name) == rows[i].to, "%s: %d, not %d after: %s", rows[i].name, used(c, rows[i].name), rows[i].to, rows[i].step);
    }
    quotas(sql_migrated(), NULL, NULL);
}

/* A quota that is below what is used holds nothing up but more of it. */
static void test_lowered(void)
{
    static const char *const allowed[] = {
        "UPDATE skylark.services SET target_num_instances = 3 WHERE name = 'web'", "UPDATE skylark.services SET image_tag = 'new'",
        "UPDATE skylark.services SET instance_size = 'XXS'", "UPDATE skylark.services SET target_state = 'STOPPED'",
        "DELETE FROM skylark.volumes", "DELETE FROM skylark.ports", "UPDATE skylark.services SET deleted_at = now()",
        "DELETE FROM skylark.services",
    };
    PGconn *c = two();
    sql_run(c, "UPDATE skylark.services SET target_num_instances = 5 WHERE name = 'web'");
    sql_run(c, "INSERT INTO skylark.volumes (service_id, app_volume_dir, size_gb) VALUES ('" SECOND "', '/a', 2)");
    sql_run(c, "INSERT INTO skylark.ports (service_id, container_port) VALUES ('" SQL_SERVICE "', 80)");
    sql_run(c, "INSERT INTO skylark.quotas SELECT n.id, q.name, 0 FROM skylark.namespaces n, skylark.quotas q "
               "WHERE n.name = 'demo' AND q.namespace_id IS NULL");
    CHECK(strcmp(sql_run(c, "UPDATE skylark.services SET target_num_instances = 6 WHERE name = 'web'"), "23514") == 0, "more");
    for (size_t i = 0; i < COUNT(allowed); i++)
        CHECK(sql_run(c, "%s", allowed[i])[0] == '\0', "%s: %s", allowed[i], PQerrorMessage(c));
    quotas(c, NULL, NULL);
}

/* The volumes of instances that were there once are still on the engine: counting down and up elsewhere is no way around. */
static void test_volumes_kept(void)
{
    PGconn *c = two();
    sql_run(c, "INSERT INTO skylark.volumes (service_id, app_volume_dir, size_gb) VALUES ('" SECOND "', '/a', 2)");
    sql_run(c, "UPDATE skylark.services SET target_num_instances = 9 WHERE name = 'second'");
    sql_run(c, "UPDATE skylark.services SET target_num_instances = 3 WHERE name = 'second'");
    CHECK(used(c, "volumes") == 3, "%d without any on the engine", used(c, "volumes"));
    sql_run(c, "INSERT INTO skylark.kept_volumes (service_id, app_volume_dir, number, volume_type, size_gb, driver, options) "
               "VALUES ('" SECOND "', '/a', 1, 'EBS', 2, 'local', '{}')");
    sql_run(c, "UPDATE skylark.services SET target_num_instances = 9, most_instances = 1 WHERE name = 'second'");
    sql_run(c, "UPDATE skylark.services SET target_num_instances = 1, most_instances = 1 WHERE name = 'second'");
    CHECK(used(c, "volumes") == 9 && used(c, "volume_gib") == 18, "%d volumes, %d GiB", used(c, "volumes"), used(c, "volume_gib"));
    sql_run(c, "DELETE FROM skylark.volumes");
    CHECK(used(c, "volumes") == 9, "%d once they are not mounted any more", used(c, "volumes"));
    quotas(c, "volumes", "9");
    CHECK(sql_run(c, "UPDATE skylark.services SET target_num_instances = 9 WHERE name = 'second'")[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(strcmp(sql_run(c, "UPDATE skylark.services SET target_num_instances = 10 WHERE name = 'second'"), "23514") == 0, "a tenth");
    quotas(c, NULL, NULL);
}

/* Two that are each within the limit, and together not: the second waits for the first and is refused. Another namespace waits for
 * neither. */
static void test_at_once(void)
{
    PGconn *c = two(), *first = sql_connect("skylark_shared", NULL), *second = sql_connect("skylark_shared", NULL);
    quotas(c, "instances", "2");
    sql_run(first, "BEGIN");
    CHECK(sql_run(first, "UPDATE skylark.services SET target_num_instances = 2 WHERE name = 'web'")[0] == '\0', "%s", PQerrorMessage(first));
    CHECK(PQsendQuery(second, "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by) "
                              "SELECT gen_random_uuid(), namespace_id, 'third', 'x', 'XS', 'demo' FROM skylark.services LIMIT 1"), "send");
    CHECK(sql_waits_for_lock(c, second), "the second did not wait");
    sql_run(c, "INSERT INTO skylark.namespaces (name, kind) VALUES ('elsewhere', 'organisation') ON CONFLICT DO NOTHING");
    sql_run(c, "INSERT INTO skylark.quotas SELECT id, 'instances', 5 FROM skylark.namespaces WHERE name = 'elsewhere'");
    sql_run(c, "SET lock_timeout = '10s'");
    CHECK(sql_run(c, "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by) "
                     "SELECT gen_random_uuid(), id, 'third', 'x', 'XS', 'demo' FROM skylark.namespaces WHERE name = 'elsewhere'")[0] == '\0',
          "another namespace: %s", PQerrorMessage(c));
    sql_run(c, "RESET lock_timeout");
    sql_run(first, "COMMIT");
    PGresult *r = PQgetResult(second);
    const char *constraint = PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME);
    CHECK(constraint != NULL && strcmp(constraint, "quota_instances") == 0, "the second: %s", PQresultErrorMessage(r));
    PQclear(r);
    CHECK(used(c, "instances") == 2, "%d", used(c, "instances"));
    PQfinish(first);
    PQfinish(second);
    sql_run(c, "DELETE FROM skylark.services");
    sql_run(c, "DELETE FROM skylark.namespaces WHERE name = 'elsewhere'");
    quotas(c, NULL, NULL);
}

/* What the autoscaler asks: as much as is left, for all services of a namespace together. */
static void test_grant(void)
{
    PGconn *c = two();
    sql_run(c, "UPDATE skylark.services SET target_state = 'STARTED'");
    static const char ask[] = "SELECT string_agg(COALESCE(granted::text, 'busy'), ' ' ORDER BY service_id) "
                              "FROM skylark.quota_grant('{" SQL_SERVICE "," SECOND "}', '{5,5}')";
    static const struct {
        const char *name, *maximum, *granted;
    } rows[] = {
        {NULL, NULL, "5 5"}, {"instances", "10", "5 5"}, {"instances", "9", "5 4"}, {"instances", "6", "3 3"}, {"instances", "1", "1 3"},
        {"cpu_millis", "2000", "5 3"}, {"memory_mib", "2047", "4 3"}, {"volumes", "4", "5 4"}, {"volume_gib", "9", "5 4"}, {"volume_gib", "0", "5 3"},
    };
    sql_run(c, "INSERT INTO skylark.volumes (service_id, app_volume_dir, size_gb) VALUES ('" SECOND "', '/a', 2)");
    for (size_t i = 0; i < COUNT(rows); i++) {
        quotas(c, rows[i].name, rows[i].maximum);
        const char *granted = sql_value(c, "%s", ask);
        CHECK(strcmp(granted, rows[i].granted) == 0, "%s %s: %s, not %s", rows[i].name, rows[i].maximum, granted, rows[i].granted);
    }
    PGconn *other = sql_connect("skylark_shared", NULL);
    quotas(c, "instances", "9");
    sql_run(other, "BEGIN");
    sql_run(other, "UPDATE skylark.services SET target_num_instances = 2 WHERE name = 'web'");
    CHECK(strcmp(sql_value(c, "%s", ask), "busy busy") == 0, "while somebody takes: %s", sql_value(c, "%s", ask));
    PQfinish(other);
    quotas(c, NULL, NULL);
}

/* Logins never run out of tokens: the one that was used least recently makes way. Those that a person made do not. */
static void test_logins(void)
{
    PGconn *c = two();
    sql_run(c, "DELETE FROM skylark.api_tokens");
    quotas(c, "tokens", "2");
    sql_run(c, "INSERT INTO skylark.api_tokens (user_id, token_hash, token_prefix) SELECT id, sha256('p'), 'abcdefgh' FROM skylark.users");
    for (int i = 0; i < 3; i++)
        CHECK(strcmp(sql_value(c, "SELECT skylark.token_issue(id, password_changed_at, sha256('%d'), 'abcdefgh', NULL) FROM skylark.users", i), "t") == 0,
              "%s", PQerrorMessage(c));
    CHECK(strcmp(sql_value(c, "SELECT string_agg((token_hash = sha256('p'))::text, ' ' ORDER BY id) FROM skylark.api_tokens WHERE revoked_at IS NULL"),
                 "true false") == 0, "which ones are left");
    sql_run(c, "UPDATE skylark.api_tokens SET by_login = false");
    CHECK(strcmp(sql_run(c, "SELECT skylark.token_issue(id, password_changed_at, sha256('9'), 'abcdefgh', NULL) FROM skylark.users"), "23514") == 0,
          "a person's tokens make way");
    sql_run(c, "DELETE FROM skylark.api_tokens");
    quotas(c, NULL, NULL);
}

static void test_ctl(void)
{
    PGconn *c = two();
    char *out;
    CHECK(sql_ctl("skylark_shared", "quota set demo services=7 instances=none", NULL) == 0, "set");
    CHECK(strcmp(sql_value(c, "SELECT string_agg(quota || COALESCE(maximum::text, '-'), ' ' ORDER BY quota) FROM skylark.quotas_overview "
                              "WHERE namespace = 'demo' AND NOT is_default"), "instances- services7") == 0, "what was set");
    CHECK(sql_ctl("skylark_shared", "quota demo", &out) == 0 && strstr(out, "services") != NULL && strstr(out, "7") != NULL, "%s", out);
    free(out);
    CHECK(sql_ctl("skylark_shared", "quota set demo services=default instances=default", NULL) == 0, "default");
    CHECK(strcmp(sql_value(c, "SELECT count(*) FROM skylark.quotas WHERE namespace_id IS NOT NULL"), "0") == 0, "rows are left");
    CHECK(sql_ctl("skylark_shared", "quota set nobody services=7", NULL) != 0 && sql_ctl("skylark_shared", "quota set demo cats=7", NULL) != 0 &&
          sql_ctl("skylark_shared", "quota set demo services=many", NULL) != 0 && sql_ctl("skylark_shared", "quota set --default services=default", NULL) != 0,
          "what can't be set is taken");
    CHECK(sql_ctl("skylark_shared", "quota nobody", &out) == 1 && strstr(out, "no such namespace") != NULL, "%s", out);
    free(out);
    CHECK(sql_ctl("skylark_shared", "quota --help", &out) == 0 && strstr(out, "quota set") != NULL && strstr(out, "token") == NULL, "%s", out);
    free(out);
    CHECK(sql_ctl("skylark_shared", "quota", &out) == 0 && strstr(out, "networks") != NULL, "%s", out);
    free(out);
}

const struct check_test tests_quotas[] = {
    {"each quota: to the limit and no further, over SQL", test_each},
    {"a quota below what is used takes nothing away", test_lowered},
    {"volumes that are kept count", test_volumes_kept},
    {"two at once: one passes, and no other namespace waits", test_at_once},
    {"what the autoscaler may take", test_grant},
    {"logins never run out of tokens", test_logins},
    {"skylarkctl quota", test_ctl},
    {0},
};
