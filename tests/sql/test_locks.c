/* A lock on the rows of one service, held by a session that was left open, makes no statement wait that is about others as well;
 * what it is about is done when the lock is gone. Each statement runs as its role, and may wait for half a second. */
#include <stdio.h>
#include <string.h>

#include "gen/api_statements.h"
#include "gen/autoscaler_statements.h"
#include "gen/collector_statements.h"
#include "gen/deployer_statements.h"
#include "gen/router_statements.h"
#include "tests/sql/suites.h"

#define FREE "22222222-2222-4222-8222-222222222222"
#define HELD_INSTANCE "33333333-0000-1000-8000-000000000001"
#define FREE_INSTANCE "33333333-0000-1000-8000-000000000002"
#define IMAGE "nginx:latest"

static const struct {
    const char *table, *lock;
} locks[] = {
    {"services, changed", "UPDATE skylark.services SET generation = generation + 1 WHERE id = '" SQL_SERVICE "'"},
    {"services", "SELECT FROM skylark.services WHERE id = '" SQL_SERVICE "' FOR UPDATE"},
    {"reconcile_queue", "SELECT FROM skylark.reconcile_queue WHERE service_id = '" SQL_SERVICE "' FOR UPDATE"},
    {"service_status", "SELECT FROM skylark.service_status WHERE service_id = '" SQL_SERVICE "' FOR UPDATE"},
    {"instances", "SELECT FROM skylark.instances WHERE service_id = '" SQL_SERVICE "' FOR UPDATE"},
    {"log_positions", "SELECT FROM skylark.log_positions WHERE service_id = '" SQL_SERVICE "' FOR UPDATE"},
    {"wakes", "SELECT FROM skylark.wakes WHERE service_id = '" SQL_SERVICE "' FOR UPDATE"},
    {"autoscaling_queue", "SELECT FROM skylark.autoscaling_queue WHERE service_id = '" SQL_SERVICE "' FOR UPDATE"},
    {"autoscaling_settings", "SELECT FROM skylark.autoscaling_settings WHERE service_id = '" SQL_SERVICE "' FOR UPDATE"},
    {"engines", "SELECT FROM skylark.engines FOR UPDATE"},
    {"fronts of others", "SELECT FROM skylark.fronts WHERE name <> 'mine' FOR UPDATE"},
    {"api_tokens", "SELECT FROM skylark.api_tokens FOR UPDATE"},
};

#define POSITION(instance)                                                                                                  \
    "{\"instance_id\":\"" instance "\",\"next_seq\":1,\"stdout_at_ns\":1,\"stdout_lines_at\":1,\"stderr_at_ns\":0,"             \
    "\"stderr_lines_at\":0,\"open_at_ns\":0,\"bytes\":1,\"completed\":true}"

/* About both services, where a statement is about several. */
static const struct {
    const char *role;
    const struct db_statement *statement;
    const char *params[8];
} statements[] = {
    {"skylark_deployer", &deployer_statements[DEPLOYER_CONTAINERS_COMPARE], {"[]"}},
    {"skylark_deployer", &deployer_statements[DEPLOYER_SERVICE_DUE], {SQL_SERVICE}},
    {"skylark_deployer", &deployer_statements[DEPLOYER_WAKES_TAKE], {NULL}},
    {"skylark_deployer", &deployer_statements[DEPLOYER_SERVICE_CLAIM], {"d", "60000"}},
    {"skylark_deployer", &deployer_statements[DEPLOYER_SERVICE_NEXT_DUE], {NULL}},
    {"skylark_deployer", &deployer_statements[DEPLOYER_PULL_FINISH], {IMAGE, "d", "id", ""}},
    {"skylark_deployer", &deployer_statements[DEPLOYER_PULL_CLAIM], {"d", "60000"}},
    {"skylark_deployer", &deployer_statements[DEPLOYER_ENGINE_SEEN], {"e", "n", "1", "2", "3"}},
    {"skylark_deployer", &deployer_statements[DEPLOYER_ENGINE_AWAY], {"m"}},
    {"skylark_collector", &collector_statements[COLLECTOR_POSITIONS_TAKE], {"{" HELD_INSTANCE "," FREE_INSTANCE "}"}},
    {"skylark_collector", &collector_statements[COLLECTOR_POSITIONS_STORE], {"[" POSITION(FREE_INSTANCE) "]"}},
    {"skylark_router", &router_statements[ROUTER_FRONT_REPORT],
     {"mine", NULL, "1", "{}", "", "{\"" SQL_SERVICE "\": \"x\", \"" FREE "\": \"y\"}"}},
    {"skylark_autoscaler", &autoscaler_statements[AUTOSCALER_SERVICES_EVALUATE], {NULL, "1000", "10000", "60000", "2048"}},
    {"skylark_autoscaler", &autoscaler_statements[AUTOSCALER_SERVICE_POSTPONE], {NULL}},
    {"skylark_api", &api_statements[API_TOKEN_MARK], {"1"}},
};

static PGconn *filled(void)
{
    static const char *const steps[] = {
        "DELETE FROM skylark.fronts", "DELETE FROM skylark.engines", "DELETE FROM skylark.image_pulls", "DELETE FROM skylark.api_tokens",
        "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by) "
        "SELECT '" FREE "', id, 'free', 'nginx', 'XS', 'demo' FROM skylark.namespaces WHERE name = 'demo'",
        "INSERT INTO skylark.autoscaling_settings (service_id, metric_name, upper_threshold, lower_threshold, minimum_num_instances, "
        "maximum_num_instances) SELECT id, 'CPU_UTILIZATION', 0.6, 0.1, 2, 6 FROM skylark.services",
        "UPDATE skylark.services SET scaling_mode = 'AUTO'",
        "INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, container_id, state) VALUES "
        "('" HELD_INSTANCE "', '" SQL_SERVICE "', 0, 1, 'e', 'a', 'running'), ('" FREE_INSTANCE "', '" FREE "', 0, 1, 'e', 'b', 'running')",
        "INSERT INTO skylark.log_positions (instance_id, service_id) SELECT id, service_id FROM skylark.instances",
        "INSERT INTO skylark.engines (engine_id, state) VALUES ('e', 'reachable')",
        "INSERT INTO skylark.fronts (name) VALUES ('mine'), ('other')",
        "INSERT INTO skylark.api_tokens (id, user_id, token_hash, token_prefix) OVERRIDING SYSTEM VALUE SELECT 1, id, sha256('x'), 'xxxxxxxx' "
        "FROM skylark.namespaces WHERE name = 'demo'",
        "INSERT INTO skylark.image_pulls (image_ref, state, lease_owner, lease_until) VALUES ('" IMAGE "', 'pulling', 'd', now() + interval '1 hour')",
    };
    PGconn *c = sql_with_service();
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        CHECK(sql_run(c, "%s", steps[i])[0] == '\0', "%s: %s", steps[i], PQerrorMessage(c));
    return c;
}

static PGconn *lock(const char *statement)
{
    PGconn *holder = sql_connect("skylark_shared", NULL);
    sql_run(holder, "BEGIN");
    CHECK(sql_run(holder, "%s", statement)[0] == '\0', "%s: %s", statement, PQerrorMessage(holder));
    return holder;
}

static PGconn *as(const char *role)
{
    PGconn *c = sql_connect("skylark_shared", role);
    sql_run(c, "SET lock_timeout = '500ms'");
    return c;
}

static void test_nobody_waits(void)
{
    PGconn *c = filled();
    for (size_t i = 0; i < sizeof locks / sizeof locks[0]; i++) {
        PGconn *holder = lock(locks[i].lock);
        for (size_t k = 0; k < sizeof statements / sizeof statements[0]; k++) {
            PGconn *worker = as(statements[k].role);
            sql_run(worker, "BEGIN");
            PGresult *r = sql_statement(worker, statements[k].statement, statements[k].params);
            ExecStatusType kind = PQresultStatus(r);
            CHECK(kind == PGRES_TUPLES_OK || kind == PGRES_COMMAND_OK, "%s, with a lock on %s: %s", statements[k].statement->name,
                  locks[i].table, PQresultErrorMessage(r));
            PQclear(r);
            sql_run(worker, "ROLLBACK");
            PQfinish(worker);
        }
        sql_run(holder, "ROLLBACK");
        PQfinish(holder);
    }
    CHECK(strcmp(sql_value(c, "SELECT count(*) FROM skylark.services"), "2") == 0, "services");
}

/* Wakes reach the queue: at once where it is free, and where it is not as soon as it is. */
static void test_wakes_taken(void)
{
    PGconn *c = filled(), *deployer = as("skylark_deployer");
    const char *take = deployer_statements[DEPLOYER_WAKES_TAKE].sql;
    CHECK(sql_run(deployer, "%s", take)[0] == '\0', "%s", PQerrorMessage(deployer));
    CHECK(strcmp(sql_value(c, "SELECT count(*) FROM skylark.wakes"), "0") == 0, "wakes are left");
    sql_run(c, "UPDATE skylark.reconcile_queue SET due_at = 'infinity', failures = 3");
    sql_run(c, "INSERT INTO skylark.wakes (service_id) SELECT id FROM skylark.services");
    PGconn *holder = lock("SELECT FROM skylark.reconcile_queue WHERE service_id = '" SQL_SERVICE "' FOR UPDATE");
    CHECK(sql_run(deployer, "%s", take)[0] == '\0', "%s", PQerrorMessage(deployer));
    CHECK(strcmp(sql_value(c, "SELECT string_agg(service_id::text, ',') FROM skylark.reconcile_queue WHERE due_at <= now() AND failures = 3"),
                 FREE) == 0, "due: %s", sql_value(c, "SELECT string_agg(service_id::text, ',') FROM skylark.reconcile_queue WHERE due_at <= now()"));
    CHECK(strcmp(sql_value(c, "SELECT string_agg(service_id::text, ',') FROM skylark.wakes"), SQL_SERVICE) == 0, "the other one's wake");
    sql_run(holder, "ROLLBACK");
    CHECK(sql_run(c, "UPDATE skylark.services SET target_num_instances = 5 WHERE id = '" SQL_SERVICE "'")[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(sql_run(deployer, "%s", take)[0] == '\0', "%s", PQerrorMessage(deployer));
    CHECK(strcmp(sql_value(c, "SELECT due_at <= now() AND failures = 0 AND wakes > 2 FROM skylark.reconcile_queue WHERE service_id = '" SQL_SERVICE "'"),
                 "t") == 0, "not due when the lock is gone");
    CHECK(strcmp(sql_value(c, "SELECT count(*) FROM skylark.wakes"), "0") == 0, "wakes are left");
    /* One of a service that is gone is dropped. */
    sql_run(c, "INSERT INTO skylark.wakes (service_id) VALUES (gen_random_uuid())");
    CHECK(sql_run(deployer, "%s", take)[0] == '\0', "%s", PQerrorMessage(deployer));
    CHECK(strcmp(sql_value(c, "SELECT count(*) FROM skylark.wakes"), "0") == 0, "wakes are left");
    PQfinish(holder);
    PQfinish(deployer);
}

/* Of positions, those that somebody has locked are left out, whether they are there already or not. */
static void test_positions_taken(void)
{
    static const char *const holders[] = {
        "SELECT FROM skylark.log_positions WHERE service_id = '" SQL_SERVICE "' FOR UPDATE",
        "SELECT FROM skylark.instances WHERE service_id = '" SQL_SERVICE "' FOR UPDATE",
    };
    const char *params[COLLECTOR_POSITIONS_TAKE_P__MAX] = {
        [COLLECTOR_POSITIONS_TAKE_P_INSTANCES] = "{" HELD_INSTANCE "," FREE_INSTANCE "}"};
    PGconn *c = filled(), *collector = as("skylark_collector");
    for (int i = 0; i < 2; i++) {
        if (i == 1)
            sql_run(c, "DELETE FROM skylark.log_positions");
        PGconn *holder = lock(holders[i]);
        PGresult *r = sql_statement(collector, &collector_statements[COLLECTOR_POSITIONS_TAKE], params);
        CHECK(PQntuples(r) == 1 && strcmp(db_text(r, 0, COLLECTOR_POSITIONS_TAKE_C_INSTANCE_ID), FREE_INSTANCE) == 0, "%d: %d positions, %s",
              i, PQntuples(r), PQresultErrorMessage(r));
        PQclear(r);
        sql_run(holder, "ROLLBACK");
        PQfinish(holder);
    }
    PQfinish(collector);
}

const struct check_test tests_locks[] = {
    {"no statement about others waits for a lock on one service", test_nobody_waits},
    {"wakes reach the queue when it is free", test_wakes_taken},
    {"positions that are locked are left out", test_positions_taken},
    {NULL, NULL},
};
