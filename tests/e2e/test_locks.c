/* Somebody holds a lock on rows of one service, in a psql session that was left open: in each table that processes write. The
 * others must not notice, no loop may spin, and the service itself goes on when the lock is gone. */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/db.h"
#include "tests/e2e/e2e.h"
#include "tests/lib/engine.h"

#define HELD "(SELECT s.id FROM skylark.services s WHERE s.name = 'held' AND s.deleted_at IS NULL)"
#define HELD_INSTANCES "(SELECT i.id FROM skylark.instances i WHERE i.service_id = " HELD ")"
/* Transactions a second of all processes together, at the most: at work they have some dozens, a loop that spins has thousands. */
#define TRANSACTIONS_MOST 500

static const struct {
    const char *name, *lock;
    bool dies; /* an instance of it dies meanwhile, so that all its rows are wanted */
} rows[] = {
    {"services, changed", "UPDATE skylark.services SET generation = generation + 1 WHERE id = " HELD, true},
    {"services, for update", "SELECT FROM skylark.services WHERE id = " HELD " FOR UPDATE", false},
    {"reconcile_queue", "UPDATE skylark.reconcile_queue SET wakes = wakes WHERE service_id = " HELD, true},
    {"wakes", "INSERT INTO skylark.wakes (service_id) VALUES (" HELD "); SELECT FROM skylark.wakes FOR UPDATE", false},
    {"service_status", "UPDATE skylark.service_status SET message = message WHERE service_id = " HELD, true},
    {"instances", "SELECT FROM skylark.instances WHERE service_id = " HELD " FOR UPDATE", true},
    {"instance_ports", "SELECT FROM skylark.instance_ports WHERE instance_id IN " HELD_INSTANCES " FOR UPDATE", false},
    {"log_positions", "SELECT FROM skylark.log_positions WHERE service_id = " HELD " FOR UPDATE", true},
    {"autoscaling_queue", "SELECT FROM skylark.autoscaling_queue WHERE service_id = " HELD " FOR UPDATE", false},
    {"autoscaling_settings", "SELECT FROM skylark.autoscaling_settings WHERE service_id = " HELD " FOR UPDATE", false},
    {"image_pulls", "SELECT FROM skylark.image_pulls WHERE image_ref LIKE '%:v2' FOR UPDATE", false},
    {"its parts", "SELECT FROM skylark.ports WHERE service_id = " HELD " FOR UPDATE; "
                  "SELECT FROM skylark.envvars WHERE service_id = " HELD " FOR UPDATE; "
                  "SELECT FROM skylark.volumes WHERE service_id = " HELD " FOR UPDATE; "
                  "SELECT FROM skylark.kept_volumes WHERE service_id = " HELD " FOR UPDATE; "
                  "SELECT FROM skylark.custom_domains WHERE service_id = " HELD " FOR UPDATE", false},
    {"tokens", "SELECT FROM skylark.api_tokens FOR UPDATE", false},
    {"all of it", "SELECT FROM skylark.services WHERE id = " HELD " FOR UPDATE; "
                  "SELECT FROM skylark.reconcile_queue WHERE service_id = " HELD " FOR UPDATE; "
                  "SELECT FROM skylark.service_status WHERE service_id = " HELD " FOR UPDATE; "
                  "SELECT FROM skylark.instances WHERE service_id = " HELD " FOR UPDATE; "
                  "SELECT FROM skylark.log_positions WHERE service_id = " HELD " FOR UPDATE; "
                  "SELECT FROM skylark.autoscaling_queue WHERE service_id = " HELD " FOR UPDATE", true},
};

static PGconn *holder, *looker;

static int64_t look(const char *query)
{
    PGresult *r = PQexec(looker, query);
    int64_t n = PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1 ? db_int(r, 0, 0) : INT64_MIN;
    PQclear(r);
    return n;
}

/* Waits until the number is larger than it was. */
static bool grows(const char *query, int64_t before, double seconds)
{
    int64_t now = before;
    for (double end = 0; now <= before && world_waiting(&end, seconds);)
        now = look(query);
    return now > before;
}

#define LINES "SELECT count(*) FROM skylark.log_rows l JOIN skylark.services s ON s.id = l.service_id WHERE s.name = 'free' AND s.deleted_at IS NULL"
#define REPORTED "SELECT (date_part('epoch', min(observed_at)) * 1000)::bigint FROM skylark.live_fronts JOIN skylark.fronts USING (name)"
#define COMPARED "SELECT (date_part('epoch', max(observed_at)) * 1000)::bigint FROM skylark.engines"
#define TRANSACTIONS "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"

static void others_go_on(const char *what, int instances)
{
    int64_t lines = look(LINES), reported = look(REPORTED), compared = look(COMPARED), transactions = look(TRANSACTIONS);
    double begun = world_now();
    char body[60];
    snprintf(body, sizeof body, "{\"target_num_instances\":%d}", instances);
    int status = api_status("PUT", body, "/v1/services/madams/free/");
    CHECK(status == 200, "%s: a PUT of another service: %d", what, status);
    CHECK(service_runs("madams", "free", instances, 60), "%s: another service", what);
    CHECK(grows(LINES, lines, 30), "%s: no line of another service is stored", what);
    CHECK(grows(REPORTED, reported, 30), "%s: the front does not report", what);
    CHECK(grows(COMPARED, compared, 30), "%s: containers are not compared", what);
    double rate = (double)(look(TRANSACTIONS) - transactions) / (world_now() - begun);
    CHECK(rate < TRANSACTIONS_MOST, "%s: %.0f transactions a second", what, rate);
}

static void test_locks(void)
{
    holder = PQconnectdb(world.owner_dsn);
    looker = PQconnectdb(world.owner_dsn);
    REQUIRE(PQstatus(holder) == CONNECTION_OK && PQstatus(looker) == CONNECTION_OK, "%s", PQerrorMessage(holder));
    PQclear(PQexec(holder, "SET skylark.by_hand = on"));
    if (!service_create_of("team/web:v2", "held", 1, ",\"instance_ports\":[{\"container_port\":80,\"endpoint_type\":\"http-endpoint\"}],"
                                         "\"instance_envvars\":{\"A\":\"1\"},\"volumes\":[{\"app_volume_dir\":\"/data\",\"volume_type\":\"EBS\",\"size_gb\":1}]") ||
        !service_create("free", "v1", 1, ",\"run_command\":\"sh -c 'while :; do echo line; sleep 0.2; done'\"") ||
        !service_runs("madams", "held", 1, 90) || !service_runs("madams", "free", 1, 90))
        return;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        PQclear(PQexec(holder, "BEGIN"));
        PGresult *r = PQexec(holder, rows[i].lock);
        CHECK(PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK, "%s: %s", rows[i].name,
              PQresultErrorMessage(r));
        PQclear(r);
        if (rows[i].dies)
            CHECK(engine_kill_one("held", -1, NULL), "%s: none of its instances could be killed", rows[i].name);
        others_go_on(rows[i].name, i % 2 == 0 ? 2 : 1);
        PQclear(PQexec(holder, "ROLLBACK"));
        if (rows[i].dies)
            CHECK(service_runs("madams", "held", 1, 90), "%s: the service itself, when the lock is gone", rows[i].name);
    }
    CHECK(api_status("PUT", "{\"target_num_instances\":2}", "/v1/services/madams/held/") == 200, "PUT");
    service_runs("madams", "held", 2, 90);
    PQfinish(holder);
    PQfinish(looker);
    service_delete("held");
    service_delete("free");
}

const struct check_test tests_locks[] = {
    {"a lock on one service's rows, and the others go on", test_locks}, {0},
};
