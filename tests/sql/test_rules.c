/* The rules that the database holds by itself, whoever writes. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gen/autoscaler_statements.h"
#include "gen/deployer_statements.h"
#include "tests/sql/suites.h"

static void test_refused(void)
{
    static const struct {
        const char *change, *state;
    } rows[] = {
        {"UPDATE skylark.services SET name = 'Web'", "23514"},
        {"UPDATE skylark.services SET name = repeat('a', 61)", "23514"},
        {"UPDATE skylark.services SET image_name = 'a b'", "23514"},
        {"UPDATE skylark.services SET image_name = 'nginx:1'", "23514"},
        {"UPDATE skylark.services SET image_tag = '-x'", "23514"},
        {"UPDATE skylark.services SET instance_size = 'XXL'", "23503"},
        {"UPDATE skylark.services SET scaling_mode = 'SOMETIMES'", "23514"},
        {"UPDATE skylark.services SET target_state = 'PAUSED'", "23514"},
        {"UPDATE skylark.services SET target_num_instances = -1", "23514"},
        {"UPDATE skylark.services SET target_num_instances = 1001", "23514"},
        {"INSERT INTO skylark.custom_domains VALUES ('a b.c', '" SQL_SERVICE "', 1)", "23514"},
        {"INSERT INTO skylark.custom_domains VALUES (E'a.b\\n', '" SQL_SERVICE "', 1)", "23514"},
        {"INSERT INTO skylark.custom_domains VALUES ('*.a.b', '" SQL_SERVICE "', 1)", "23514"},
        {"INSERT INTO skylark.custom_domains VALUES ('a.b;', '" SQL_SERVICE "', 1)", "23514"},
        {"INSERT INTO skylark.custom_domains VALUES ('10.0.0.1', '" SQL_SERVICE "', 1)", "23514"},
        {"INSERT INTO skylark.custom_domains VALUES ('include', '" SQL_SERVICE "', 1)", "23514"},
        {"UPDATE skylark.installation SET service_port_first = 30000", "23514"},
        {"UPDATE skylark.installation SET service_port_last = 65536", "23514"},
        {"INSERT INTO skylark.volumes (service_id, app_volume_dir, volume_type, size_gb) VALUES ('" SQL_SERVICE "', '/a', 'none', 1)", "23503"},
        {"INSERT INTO skylark.volume_types VALUES ('a b', 'local', '{}')", "23514"},
        {"INSERT INTO skylark.volume_types VALUES ('a', 'local', '[]')", "23514"},
        {"INSERT INTO skylark.envvars VALUES ('" SQL_SERVICE "', '1A', 'x')", "23514"},
        {"INSERT INTO skylark.envvars VALUES ('" SQL_SERVICE "', 'A=B', 'x')", "23514"},
        {"INSERT INTO skylark.envvars VALUES ('" SQL_SERVICE "', 'A', repeat('x', 32769))", "23514"},
        {"INSERT INTO skylark.ports (service_id, container_port) VALUES ('" SQL_SERVICE "', 0)", "23514"},
        {"INSERT INTO skylark.ports (service_id, container_port) VALUES ('" SQL_SERVICE "', 65536)", "23514"},
        {"INSERT INTO skylark.ports (service_id, container_port, protocol) VALUES ('" SQL_SERVICE "', 1, 'icmp')", "23514"},
        {"INSERT INTO skylark.ports (service_id, container_port, protocol, endpoint_type) VALUES ('" SQL_SERVICE "', 1, 'udp', 'http-endpoint')", "23514"},
        {"INSERT INTO skylark.ports (service_id, container_port) VALUES ('" SQL_SERVICE "', 1), ('" SQL_SERVICE "', 1)", "23505"},
        {"INSERT INTO skylark.volumes (service_id, app_volume_dir, size_gb) VALUES ('" SQL_SERVICE "', 'data', 1)", "23514"},
        {"INSERT INTO skylark.volumes (service_id, app_volume_dir, size_gb) VALUES ('" SQL_SERVICE "', '/', 1)", "23514"},
        {"INSERT INTO skylark.volumes (service_id, app_volume_dir, size_gb) VALUES ('" SQL_SERVICE "', '/a/../b', 1)", "23514"},
        {"INSERT INTO skylark.volumes (service_id, app_volume_dir, size_gb) VALUES ('" SQL_SERVICE "', '/proc/x', 1)", "23514"},
        {"INSERT INTO skylark.volumes (service_id, app_volume_dir, size_gb) VALUES ('" SQL_SERVICE "', '/a', 0)", "23514"},
        {"INSERT INTO skylark.links VALUES ((SELECT min(id) FROM skylark.namespaces), '" SQL_SERVICE "', '" SQL_SERVICE "', 'a')", "23514"},
        {"INSERT INTO skylark.links VALUES ((SELECT min(id) FROM skylark.namespaces), '" SQL_SERVICE "', gen_random_uuid(), 'a')", "23503"},
        {"INSERT INTO skylark.autoscaling_settings VALUES ('" SQL_SERVICE "', 'CPU_UTILIZATION', 'MEAN', 0.1, 0.6, 1, 1, 1, 2, 60)", "23514"},
        {"INSERT INTO skylark.autoscaling_settings VALUES ('" SQL_SERVICE "', 'CPU_UTILIZATION', 'MEAN', 'NaN', 0.6, 1, 1, 1, 2, 60)", "23514"},
        {"INSERT INTO skylark.autoscaling_settings VALUES ('" SQL_SERVICE "', 'CPU_UTILIZATION', 'MEAN', 60, 10, 1, 1, 1, 2, 60)", "23514"},
        {"INSERT INTO skylark.autoscaling_settings VALUES ('" SQL_SERVICE "', 'CPU_UTILIZATION', 'MEAN', 0.6, 0.1, 1, 1, 3, 2, 60)", "23514"},
        {"UPDATE skylark.instance_sizes SET memory_bytes = 1", "23514"},
        {"UPDATE skylark.instance_sizes SET memory_bytes = 9223372036854775807", "23514"}, /* no sum over instances would hold it */
        {"INSERT INTO skylark.instance_sizes VALUES ('XXXL', 1000, 1 << 30, 100)", "23514"},
        {"INSERT INTO skylark.namespaces (name, kind) VALUES ('Demo', 'user')", "23514"},
        {"INSERT INTO skylark.namespaces (name, kind) VALUES ('x', 'robot')", "23514"},
        {"INSERT INTO skylark.users (id, password_hash) SELECT id, 'plain text' FROM skylark.namespaces", "23514"},
        {"INSERT INTO skylark.api_tokens (user_id, token_hash, token_prefix) SELECT id, 'short', '12345678' FROM skylark.users", "23514"},
        {"INSERT INTO skylark.installation DEFAULT VALUES", "23505"},
        {"UPDATE skylark.installation SET base_domain = '-x'", "23514"},
        {"INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, state) VALUES (gen_random_uuid(), '" SQL_SERVICE "', 0, 1, 'e', 'running')", "23514"},
        {"INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, state) VALUES (gen_random_uuid(), '" SQL_SERVICE "', 0, 1, 'e', 'removed')", "23514"},
        {"INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id) VALUES (gen_random_uuid(), '" SQL_SERVICE "', 0, 1, 'e'), "
         "(gen_random_uuid(), '" SQL_SERVICE "', 0, 1, 'e')", "23505"},
        {"INSERT INTO skylark.log_rows VALUES ('" SQL_SERVICE "', now(), gen_random_uuid(), 0, 3, 'x')", "23514"},
    };
    PGconn *c = sql_with_service();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *state = sql_run(c, "%s", rows[i].change);
        CHECK(strcmp(state, rows[i].state) == 0, "%s: SQLSTATE \"%s\"", rows[i].change, state);
    }
}

static void test_unique_over_tenants(void)
{
    PGconn *c = sql_with_service();
    sql_run(c, "INSERT INTO skylark.namespaces (name, kind) VALUES ('b-demo', 'organisation')");
    CHECK(strcmp(sql_run(c, "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by) "
                            "SELECT gen_random_uuid(), id, 'web', 'x', 'XS', 'demo' FROM skylark.namespaces WHERE name = 'demo'"),
                 "23505") == 0, "the same name twice");
    sql_run(c, "UPDATE skylark.services SET name = 'a-b'");
    CHECK(sql_run(c, "INSERT INTO skylark.custom_domains VALUES ('a.b', '" SQL_SERVICE "', 1)")[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(strcmp(sql_run(c, "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by) "
                            "SELECT gen_random_uuid(), id, 'a', 'x', 'XS', 'demo' FROM skylark.namespaces WHERE name = 'b-demo'"),
                 "23505") == 0, "the same domain label twice: a-b + demo, a + b-demo");
    CHECK(sql_run(c, "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by) "
                     "SELECT gen_random_uuid(), id, 'z', 'x', 'XS', 'demo' FROM skylark.namespaces WHERE name = 'b-demo'")[0] == '\0',
          "%s", PQerrorMessage(c));
    CHECK(strcmp(sql_run(c, "INSERT INTO skylark.custom_domains SELECT 'a.b', id, 1 FROM skylark.services WHERE name = 'z'"), "23505") == 0,
          "the same custom domain twice");
    sql_run(c, "UPDATE skylark.services SET deleted_at = now() WHERE name = 'a-b'");
    CHECK(sql_run(c, "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by) "
                     "SELECT gen_random_uuid(), id, 'a-b', 'x', 'XS', 'demo' FROM skylark.namespaces WHERE name = 'demo'")[0] == '\0',
          "a deleted service still holds its name: %s", PQerrorMessage(c));
}

static long generation(PGconn *c)
{
    return atol(sql_value(c, "SELECT generation FROM skylark.services WHERE id = '" SQL_SERVICE "'"));
}

static long revision(PGconn *c)
{
    return atol(sql_value(c, "SELECT revision FROM skylark.services WHERE id = '" SQL_SERVICE "'"));
}

/* What a DBA changes by hand reaches the deployer as what the API changes. */
static void test_changes_reach_the_queue(void)
{
    static const struct {
        const char *change;
        bool new_containers, new_work;
    } rows[] = {
        {"UPDATE skylark.services SET image_tag = 'v2'", true, true},
        {"UPDATE skylark.services SET run_command = 'x'", true, true},
        {"UPDATE skylark.services SET instance_size = 'S'", true, true},
        {"UPDATE skylark.services SET target_num_instances = 5", false, true},
        {"UPDATE skylark.services SET target_state = 'STOPPED'", false, true},
        {"UPDATE skylark.services SET updated_at = now()", false, false},
        {"UPDATE skylark.services SET generation = 1", false, false},
        {"UPDATE skylark.namespaces SET name = 'demos' WHERE name = 'demo'", true, true},
        {"UPDATE skylark.namespaces SET name = 'demo' WHERE name = 'demos'", true, true},
        {"INSERT INTO skylark.envvars VALUES ('" SQL_SERVICE "', 'A', '1'), ('" SQL_SERVICE "', 'B', '2')", true, true},
        {"UPDATE skylark.envvars SET value = '3' WHERE name = 'A'", true, true},
        {"UPDATE skylark.envvars SET value = '3' WHERE name = 'none'", false, false},
        {"DELETE FROM skylark.envvars WHERE name = 'A'", true, true},
        {"INSERT INTO skylark.ports (service_id, container_port) VALUES ('" SQL_SERVICE "', 80)", true, true},
        {"INSERT INTO skylark.volumes (service_id, app_volume_dir, size_gb) VALUES ('" SQL_SERVICE "', '/d', 1)", true, true},
        {"INSERT INTO skylark.autoscaling_settings VALUES ('" SQL_SERVICE "', 'CPU_UTILIZATION', 'MEAN', 0.6, 0.1, 1, 1, 1, 2, 60)", false, false},
        {"UPDATE skylark.services SET deleted_at = now()", false, true},
    };
    PGconn *c = sql_with_service();
    sql_run(c, "LISTEN skylark_services");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (PGnotify *n; PQconsumeInput(c) && (n = PQnotifies(c)) != NULL;)
            PQfreemem(n);
        long g = generation(c), r = revision(c);
        sql_run(c, "DELETE FROM skylark.wakes");
        sql_run(c, "UPDATE skylark.reconcile_queue SET due_at = 'infinity'");
        CHECK(sql_run(c, "%s", rows[i].change)[0] == '\0', "%s: %s", rows[i].change, PQerrorMessage(c));
        CHECK((generation(c) > g) == rows[i].new_containers, "%s: generation %ld to %ld", rows[i].change, g, generation(c));
        CHECK((revision(c) > r) == rows[i].new_work, "%s: revision %ld to %ld", rows[i].change, r, revision(c));
        sql_run(c, "%s", deployer_statements[DEPLOYER_WAKES_TAKE].sql);
        bool due = strcmp(sql_value(c, "SELECT due_at <= now() FROM skylark.reconcile_queue WHERE service_id = '" SQL_SERVICE "'"), "t") == 0;
        CHECK(due == rows[i].new_work, "%s: due %d", rows[i].change, due);
        PQconsumeInput(c);
        PGnotify *told = PQnotifies(c);
        CHECK((told != NULL) == rows[i].new_work, "%s: NOTIFY", rows[i].change);
        if (told != NULL)
            CHECK(strcmp(told->extra, SQL_SERVICE) == 0, "NOTIFY of %s", told->extra);
        PQfreemem(told);
    }
    sql_run(c, "UNLISTEN *");
}

/* A part moved by hand to another service: the one that lost it gets new containers too. */
static void test_moved_part(void)
{
    PGconn *c = sql_with_service();
    sql_run(c, "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by) "
               "SELECT gen_random_uuid(), namespace_id, 'other', 'x', 'XS', 'demo' FROM skylark.services");
    CHECK(sql_run(c, "INSERT INTO skylark.envvars VALUES ('" SQL_SERVICE "', 'A', '1')")[0] == '\0', "%s", PQerrorMessage(c));
    long g = generation(c), r = revision(c);
    CHECK(sql_run(c, "UPDATE skylark.envvars SET service_id = (SELECT id FROM skylark.services WHERE name = 'other')")[0] == '\0',
          "%s", PQerrorMessage(c));
    CHECK(generation(c) == g + 1 && revision(c) > r, "the service that lost it: generation %ld to %ld", g, generation(c));
    CHECK(strcmp(sql_value(c, "SELECT generation FROM skylark.services WHERE name = 'other'"), "2") == 0, "the one that got it");
}

/* With nothing to do, a deployer is told to wait, not to look again at once. */
static void test_idle_waits(void)
{
    char sql[2000];
    PGconn *c = sql_with_service();
    snprintf(sql, sizeof sql, "SELECT due_in_ms || ' ' || overdue FROM (%s) x", deployer_statements[DEPLOYER_SERVICE_NEXT_DUE].sql);
    CHECK(strcmp(sql_value(c, "SELECT overdue FROM (%s) x", deployer_statements[DEPLOYER_SERVICE_NEXT_DUE].sql), "t") == 0, "a wake");
    sql_run(c, "%s", deployer_statements[DEPLOYER_WAKES_TAKE].sql);
    sql_run(c, "UPDATE skylark.reconcile_queue SET due_at = 'infinity'");
    CHECK(strcmp(sql_value(c, "%s", sql), "") == 0, "nothing is due, in %s ms", sql_value(c, "%s", sql));
    CHECK(strcmp(sql_value(c, "SELECT overdue FROM (%s) x", deployer_statements[DEPLOYER_SERVICE_NEXT_DUE].sql), "f") == 0, "overdue");
    sql_run(c, "UPDATE skylark.reconcile_queue SET due_at = now() + interval '20 s'");
    CHECK(atoi(sql_value(c, "%s", sql)) > 10000 && strstr(sql_value(c, "%s", sql), "false") != NULL, "due in 20 s: %s ms", sql_value(c, "%s", sql));
    sql_run(c, "UPDATE skylark.reconcile_queue SET due_at = now() - interval '20 s'");
    CHECK(strcmp(sql_value(c, "SELECT overdue FROM (%s) x", deployer_statements[DEPLOYER_SERVICE_NEXT_DUE].sql), "t") == 0, "overdue");
    sql_run(c, "UPDATE skylark.reconcile_queue SET lease_owner = 'x', lease_until = now() + interval '20 s'");
    CHECK(atoi(sql_value(c, "%s", sql)) > 10000 && strstr(sql_value(c, "%s", sql), "false") != NULL, "leased for 20 s: %s ms", sql_value(c, "%s", sql));
    sql_run(c, "DELETE FROM skylark.autoscaling_queue");
    snprintf(sql, sizeof sql, "SELECT due_in_ms IS NULL AND overdue_ms = 0 FROM (%s) x", autoscaler_statements[AUTOSCALER_NEXT_DUE].sql);
    CHECK(strcmp(sql_value(c, "%s", sql), "t") == 0, "nothing to scale: %s", sql_value(c, "%s", sql));
}

/* Runs a deployer's statement as that owner of the lease. Returns how many rows it wrote. */
static int deployer_writes(PGconn *c, unsigned statement, const char *const *params)
{
    PGresult *r = sql_statement(c, &deployer_statements[statement], params);
    int rows = PQresultStatus(r) == PGRES_TUPLES_OK ? PQntuples(r) : PQresultStatus(r) == PGRES_COMMAND_OK ? atoi(PQcmdTuples(r)) : -1;
    CHECK(rows >= 0, "%s: %s", deployer_statements[statement].name, PQresultErrorMessage(r));
    if (statement == DEPLOYER_INSTANCES_OBSERVE && rows > 0)
        rows = (int)db_int(r, 0, DEPLOYER_INSTANCES_OBSERVE_C_CHANGED);
    PQclear(r);
    return rows;
}

/* Whoever has lost the lease writes nothing, whatever it is. */
static void test_lease_fences(void)
{
    static const char *const instance = "44444444-0000-1000-8000-000000000000";
    static const char *const seen = "[{\"id\":\"44444444-0000-1000-8000-000000000000\",\"state\":\"running\",\"started_ms\":1}]";
    PGconn *c = sql_with_service();
    sql_run(c, "UPDATE skylark.reconcile_queue SET lease_owner = 'mine', lease_until = now() + interval '1 minute'");
    sql_run(c, "INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, container_id, state) VALUES "
               "('%s', '" SQL_SERVICE "', 0, 1, 'e', 'c', 'created')", instance);
    for (int mine = 0; mine < 2; mine++) {
        const char *owner = mine ? "mine" : "other";
        const struct {
            unsigned statement;
            const char *params[DEPLOYER_INSTANCE_INSERT_P__MAX]; /* it has most */
        } rows[] = {
            {DEPLOYER_LEASE_RENEW,
             {[DEPLOYER_LEASE_RENEW_P_SERVICE_ID] = SQL_SERVICE,
              [DEPLOYER_LEASE_RENEW_P_DEPLOYER] = owner,
              [DEPLOYER_LEASE_RENEW_P_LEASE_MS] = "60000"}},
            {DEPLOYER_INSTANCES_OBSERVE,
             {[DEPLOYER_INSTANCES_OBSERVE_P_SERVICE_ID] = SQL_SERVICE,
              [DEPLOYER_INSTANCES_OBSERVE_P_DEPLOYER] = owner,
              [DEPLOYER_INSTANCES_OBSERVE_P_INSTANCES] = seen,
              [DEPLOYER_INSTANCES_OBSERVE_P_REQUEST_ID] = ""}},
            {DEPLOYER_INSTANCE_STOPPING,
             {[DEPLOYER_INSTANCE_STOPPING_P_INSTANCE_ID] = instance,
              [DEPLOYER_INSTANCE_STOPPING_P_DEPLOYER] = owner}},
            {DEPLOYER_INSTANCE_READY,
             {[DEPLOYER_INSTANCE_READY_P_INSTANCE_ID] = instance,
              [DEPLOYER_INSTANCE_READY_P_DEPLOYER] = owner}},
            {DEPLOYER_INSTANCE_UNROUTE,
             {[DEPLOYER_INSTANCE_UNROUTE_P_INSTANCE_ID] = instance,
              [DEPLOYER_INSTANCE_UNROUTE_P_DEPLOYER] = owner}},
            /* A second time as well: that is no lost lease. */
            {DEPLOYER_INSTANCE_STOPPING,
             {[DEPLOYER_INSTANCE_STOPPING_P_INSTANCE_ID] = instance,
              [DEPLOYER_INSTANCE_STOPPING_P_DEPLOYER] = owner}},
            {DEPLOYER_IMAGE_SET,
             {[DEPLOYER_IMAGE_SET_P_SERVICE_ID] = SQL_SERVICE,
              [DEPLOYER_IMAGE_SET_P_GENERATION] = "1",
              [DEPLOYER_IMAGE_SET_P_IMAGE_ID] = "sha256:x",
              [DEPLOYER_IMAGE_SET_P_NOTE] = "",
              [DEPLOYER_IMAGE_SET_P_DEPLOYER] = owner}},
            {DEPLOYER_STATUS_WRITE,
             {[DEPLOYER_STATUS_WRITE_P_SERVICE_ID] = SQL_SERVICE,
              [DEPLOYER_STATUS_WRITE_P_DEPLOYER] = owner,
              [DEPLOYER_STATUS_WRITE_P_REVISION] = "1",
              [DEPLOYER_STATUS_WRITE_P_CONDITION] = "settled",
              [DEPLOYER_STATUS_WRITE_P_MESSAGE] = "",
              [DEPLOYER_STATUS_WRITE_P_GENERATION] = "1"}},
            {DEPLOYER_INSTANCE_INSERT,
             {[DEPLOYER_INSTANCE_INSERT_P_INSTANCE_ID] = "55555555-0000-1000-8000-000000000000",
              [DEPLOYER_INSTANCE_INSERT_P_SERVICE_ID] = SQL_SERVICE,
              [DEPLOYER_INSTANCE_INSERT_P_SLOT] = "1",
              [DEPLOYER_INSTANCE_INSERT_P_GENERATION] = "1",
              [DEPLOYER_INSTANCE_INSERT_P_FAILURES] = "0",
              [DEPLOYER_INSTANCE_INSERT_P_ENGINE_ID] = "e",
              [DEPLOYER_INSTANCE_INSERT_P_DEPLOYER] = owner,
              [DEPLOYER_INSTANCE_INSERT_P_PORTS] = "[]"}},
            {DEPLOYER_SERVICE_RELEASE,
             {[DEPLOYER_SERVICE_RELEASE_P_SERVICE_ID] = SQL_SERVICE,
              [DEPLOYER_SERVICE_RELEASE_P_DEPLOYER] = owner,
              [DEPLOYER_SERVICE_RELEASE_P_WAKES] = "1",
              [DEPLOYER_SERVICE_RELEASE_P_FAILURES] = "0"}},
        };
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            int written = deployer_writes(c, rows[i].statement, rows[i].params);
            CHECK(written == mine, "%s by %s wrote %d rows", deployer_statements[rows[i].statement].name, owner, written);
        }
    }
}

/* A container is a stray unless a row that is not removed stands for it, and for no other. A row whose container is missing makes its
 * service due, a stray does not. */
static void test_strays(void)
{
    static const char *const instance = "44444444-0000-1000-8000-000000000000", *const other = "55555555-0000-1000-8000-000000000000";
    static const struct {
        const char *state, *row_container, *label, *container;
        bool stray, due;
    } rows[] = {
        {"running", "c", instance, "c", false, false}, {"running", "c", instance, "d", true, true}, {"running", "c", other, "c", true, true},
        {"exited", "c", instance, "c", false, true},   {"intended", NULL, instance, "d", false, true},
        {"removed", "c", instance, "c", true, false},  {"removed", NULL, instance, "d", true, false}, {"running", "c", NULL, "d", true, true},
    };
    PGconn *c = sql_with_service();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char listed[300];
        sql_run(c, "DELETE FROM skylark.instances");
        sql_run(c, "DELETE FROM skylark.wakes");
        sql_run(c, "INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, container_id, state, removed_at) VALUES "
                   "('%s', '" SQL_SERVICE "', 0, 1, 'e', %s, '%s', %s)", instance, rows[i].row_container != NULL ? "'c'" : "NULL",
                rows[i].state, strcmp(rows[i].state, "removed") == 0 ? "now()" : "NULL");
        snprintf(listed, sizeof listed, "[{\"id\":\"%s\",\"state\":\"running\",\"unhealthy\":false,\"instance\":%s%s%s}]",
                 rows[i].container, rows[i].label != NULL ? "\"" : "", rows[i].label != NULL ? rows[i].label : "null",
                 rows[i].label != NULL ? "\"" : "");
        const char *params[DEPLOYER_CONTAINERS_COMPARE_P__MAX] = {[DEPLOYER_CONTAINERS_COMPARE_P_CONTAINERS] = listed};
        PGresult *r = sql_statement(c, &deployer_statements[DEPLOYER_CONTAINERS_COMPARE], params);
        bool due = strcmp(sql_value(c, "SELECT EXISTS (SELECT FROM skylark.wakes)"), "t") == 0;
        CHECK(PQntuples(r) == rows[i].stray && due == rows[i].due, "%zu: a row %s of %s and %s: %d strays, %sdue: %s", i, rows[i].state,
              rows[i].row_container != NULL ? rows[i].row_container : "none", listed, PQntuples(r), due ? "" : "not ", PQresultErrorMessage(r));
        PQclear(r);
    }
}

/* A count that nobody vouches for is not shown as if it were. */
static void test_status_is_honest(void)
{
    static const struct {
        const char *change, *status;
    } rows[] = {
        {"SELECT 1", "Error"}, /* no deployer has ever reported */
        {"UPDATE skylark.installation SET engine_id = 'e', engine_recorded_at = now()", "Error"},
        {"INSERT INTO skylark.engines (engine_id, state) VALUES ('e', 'reachable')", "Deploying"},
        {"INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, container_id, state) "
         "SELECT gen_random_uuid(), id, 0, generation, 'e', 'c', 'running' FROM skylark.services", "Deploying"},
        {"UPDATE skylark.service_status SET observed_revision = 1, condition = 'settled'", "Running"},
        {"UPDATE skylark.engines SET observed_at = now() - interval '31 seconds'", "Error"},
        {"UPDATE skylark.engines SET observed_at = now(), state = 'unreachable', message = 'm'", "Error"},
        {"UPDATE skylark.engines SET state = 'reachable'", "Running"},
        {"UPDATE skylark.instances SET state = 'exited'", "Deploying"},
        {"UPDATE skylark.instances SET state = 'created'", "Deploying"},
        {"UPDATE skylark.instances SET state = 'running'", "Running"},
        {"UPDATE skylark.service_status SET condition = 'failing', message = 'm'", "Error"},
        {"UPDATE skylark.services SET target_num_instances = 2", "Deploying"},
        {"UPDATE skylark.services SET target_state = 'STOPPED'", "Deploying"},
        {"UPDATE skylark.instances SET state = 'removed', removed_at = now()", "Deploying"},
        {"UPDATE skylark.service_status SET observed_revision = 3, condition = 'settled'", "Stopped"},
    };
    PGconn *c = sql_with_service();
    sql_run(c, "UPDATE skylark.installation SET engine_id = NULL, engine_recorded_at = NULL; DELETE FROM skylark.engines");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK(sql_run(c, "%s", rows[i].change)[0] == '\0', "%s: %s", rows[i].change, PQerrorMessage(c));
        const char *status = sql_value(c, "SELECT document->>'current_status' FROM skylark.service_documents");
        CHECK(strcmp(status, rows[i].status) == 0, "%s: %s", rows[i].change, status);
        bool explained = strcmp(sql_value(c, "SELECT document->>'status_message' <> '' FROM skylark.service_documents"), "t") == 0;
        bool needs = strcmp(rows[i].status, "Error") == 0 || strcmp(rows[i].status, "Deploying") == 0;
        CHECK(explained || !needs, "%s: %s without a word", rows[i].change, rows[i].status);
    }
}

const struct check_test tests_rules[] = {
    {"what constraints refuse", test_refused},
    {"what is unique over tenants", test_unique_over_tenants},
    {"changes reach the queue", test_changes_reach_the_queue},
    {"a part that is moved", test_moved_part},
    {"who has nothing to do waits", test_idle_waits},
    {"without the lease nothing is written", test_lease_fences},
    {"a container without a live row is a stray", test_strays},
    {"the status is honest", test_status_is_honest},
    {NULL, NULL},
};
