/* What the database knows of public ports, routes, volumes, links and networks. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gen/api_statements.h"
#include "gen/ctl_statements.h"
#include "gen/deployer_statements.h"
#include "gen/router_statements.h"
#include "tests/sql/suites.h"

/* --- public ports --- */

#define ADD_PORT "INSERT INTO skylark.ports (service_id, container_port, protocol, endpoint_type) VALUES ('" SQL_SERVICE "', %d, '%s', 'tcp-endpoint')"

static int port_of(PGconn *c, int container_port, const char *protocol)
{
    return atoi(sql_value(c, "SELECT service_port FROM skylark.ports WHERE container_port = %d AND protocol = '%s'", container_port,
                          protocol));
}

static void test_public_ports(void)
{
    PGconn *c = sql_with_service();
    sql_run(c, "UPDATE skylark.installation SET service_port_first = 20000, service_port_last = 20002");
    CHECK(sql_run(c, "INSERT INTO skylark.ports (service_id, container_port, endpoint_type, service_port) "
                     "VALUES ('" SQL_SERVICE "', 80, 'http-endpoint', 20000)")[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(port_of(c, 80, "tcp") == 0, "an http-endpoint has a public port of its own");
    int sum = 0;
    for (int i = 1; i <= 3; i++) {
        CHECK(sql_run(c, ADD_PORT, i, "tcp")[0] == '\0', "%s", PQerrorMessage(c));
        CHECK(port_of(c, i, "tcp") >= 20000 && port_of(c, i, "tcp") <= 20002, "port %d", port_of(c, i, "tcp"));
        sum += port_of(c, i, "tcp");
    }
    CHECK(sum == 20000 + 20001 + 20002, "three ports are not the three there are");
    PGresult *r = PQexec(c, "INSERT INTO skylark.ports (service_id, container_port, endpoint_type) "
                            "VALUES ('" SQL_SERVICE "', 90, 'http-endpoint'), ('" SQL_SERVICE "', 91, 'tcp-endpoint')");
    CHECK(strcmp(PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME), "ports_service_port_range") == 0, "%s", PQresultErrorMessage(r));
    PQclear(r);
    CHECK(atoi(sql_value(c, "SELECT count(*) FROM skylark.ports WHERE container_port >= 90")) == 0, "half of it stayed");
    CHECK(sql_run(c, ADD_PORT, 1, "udp")[0] == '\0', "the range of udp is its own: %s", PQerrorMessage(c));
    int freed = port_of(c, 2, "tcp");
    sql_run(c, "DELETE FROM skylark.ports WHERE container_port = 2");
    CHECK(sql_run(c, ADD_PORT, 92, "tcp")[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(port_of(c, 92, "tcp") == freed, "not the one that is free");
    sql_run(c, "UPDATE skylark.installation SET service_port_first = 20000, service_port_last = 29999");
    sql_run(c, "DELETE FROM skylark.ports");
    /* One just given back is not given out at once: clients of the one who had it may still knock. */
    CHECK(sql_run(c, ADD_PORT, 1, "tcp")[0] == '\0', "%s", PQerrorMessage(c));
    freed = port_of(c, 1, "tcp");
    sql_run(c, "DELETE FROM skylark.ports");
    CHECK(sql_run(c, ADD_PORT, 1, "tcp")[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(port_of(c, 1, "tcp") != freed, "the port just given back");
}

/* Whoever asks while another's request is not decided yet gets another port, and waits for nobody. */
static void test_public_ports_at_once(void)
{
    PGconn *c = sql_with_service(), *other = sql_connect("skylark_shared", NULL);
    sql_run(c, "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by) "
               "SELECT gen_random_uuid(), namespace_id, 'second', 'nginx', 'XS', 'demo' FROM skylark.services");
    sql_run(c, "DELETE FROM skylark.ports");
    sql_run(c, "SELECT setval('skylark.service_port_turn', 100)");
    sql_run(c, "UPDATE skylark.installation SET service_port_first = 20000, service_port_last = 20001");
    sql_run(c, "BEGIN");
    CHECK(sql_run(c, ADD_PORT, 1, "tcp")[0] == '\0', "%s", PQerrorMessage(c));
    sql_run(other, "SET lock_timeout = '10s'");
    CHECK(sql_run(other, "INSERT INTO skylark.ports (service_id, container_port, endpoint_type) "
                         "SELECT id, 2, 'tcp-endpoint' FROM skylark.services WHERE name = 'second'")[0] == '\0', "it waits: %s", PQerrorMessage(other));
    CHECK(strcmp(sql_run(other, "INSERT INTO skylark.ports (service_id, container_port, endpoint_type) "
                                "SELECT id, 3, 'tcp-endpoint' FROM skylark.services WHERE name = 'second'"), "23505") == 0,
          "three ports out of two: %s", PQerrorMessage(other));
    CHECK(sql_run(c, "COMMIT")[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(strcmp(sql_value(c, "SELECT count(DISTINCT service_port) FROM skylark.ports"), "2") == 0, "one port for two");
    PQfinish(other);
    sql_run(c, "UPDATE skylark.installation SET service_port_first = 20000, service_port_last = 29999");
}

static void change(PGconn *c, unsigned statement, const char *const *params)
{
    PGresult *r = sql_statement(c, &api_statements[statement], params);
    CHECK(PQresultStatus(r) == PGRES_COMMAND_OK, "%s: %s", api_statements[statement].name, PQresultErrorMessage(r));
    PQclear(r);
}

/* What is given back by a request can be had by the same request. */
static void test_public_ports_exchanged(void)
{
    PGconn *c = sql_with_service();
    sql_run(c, "UPDATE skylark.installation SET service_port_first = 20000, service_port_last = 20000");
    CHECK(sql_run(c, ADD_PORT, 1, "tcp")[0] == '\0', "%s", PQerrorMessage(c));
    static const char wanted[] = "[{\"container_port\":2,\"protocol\":\"tcp\",\"endpoint_type\":\"tcp-endpoint\"}]";
    const char *removed[API_PORTS_REMOVE_P__MAX] = {
        [API_PORTS_REMOVE_P_SERVICE_ID] = SQL_SERVICE,
        [API_PORTS_REMOVE_P_WANTED] = wanted,
    };
    const char *added[API_PORTS_ADD_P__MAX] = {[API_PORTS_ADD_P_SERVICE_ID] = SQL_SERVICE, [API_PORTS_ADD_P_WANTED] = wanted};
    change(c, API_PORTS_REMOVE, removed);
    change(c, API_PORTS_ADD, added);
    CHECK(port_of(c, 2, "tcp") == 20000, "port %d", port_of(c, 2, "tcp"));
    sql_run(c, "UPDATE skylark.installation SET service_port_first = 20000, service_port_last = 29999");
}

/* --- routes --- */

/* Each change of whether an instance should get requests is served once a front has loaded what came after it. */
static void test_served(void)
{
    static const char *const instance = "66666666-0000-1000-8000-000000000000";
    PGconn *c = sql_with_service();
    const char *params[DEPLOYER_INSTANCES_LOAD_P__MAX] = {
        [DEPLOYER_INSTANCES_LOAD_P_SERVICE_ID] = SQL_SERVICE,
        [DEPLOYER_INSTANCES_LOAD_P_GENERATION] = "1",
    };
    static const struct {
        const char *what, *change;
        bool served, drained;
    } rows[] = {
        {"no front at all", NULL, true, true},
        {"a front that has not served anything yet", "INSERT INTO skylark.fronts (name) VALUES ('h')", false, false},
        {"it serves all of now", "UPDATE skylark.fronts SET applied_snapshot = pg_current_snapshot(), observed_at = now()", true, true},
        {"ready since", "UPDATE skylark.instances SET ready_at = now()", false, true},
        {"another thing since", "UPDATE skylark.instances SET reason = 'x'", false, true},
        {"it is served", "UPDATE skylark.fronts SET applied_snapshot = pg_current_snapshot(), observed_at = now()", true, true},
        {"to be unrouted, and busy",
         "UPDATE skylark.instances SET unroute_requested_at = now(); UPDATE skylark.fronts SET busy = ARRAY(SELECT id FROM skylark.instances)",
         false, false},
        {"the only one is silent: nobody knows", "UPDATE skylark.fronts SET observed_at = now() - interval '31 s', "
         "applied_snapshot = pg_current_snapshot(), busy = '{}'", false, false},
        {"it reports again", "UPDATE skylark.fronts SET observed_at = now()", true, true},
        {"a second one, which has never served", "INSERT INTO skylark.fronts (name) VALUES ('new')", true, true},
        {"a second one, of a host that is dead",
         "INSERT INTO skylark.fronts (name, observed_at, busy) VALUES ('dead', now() - interval '31 s', ARRAY(SELECT id FROM skylark.instances));"
         "UPDATE skylark.fronts SET applied_snapshot = pg_current_snapshot()", true, true},
        {"and comes back", "UPDATE skylark.fronts SET observed_at = now() WHERE name = 'dead'", true, false},
        {"has no connection left", "UPDATE skylark.fronts SET busy = '{}'", true, true},
        {"all is served", "UPDATE skylark.fronts SET applied_snapshot = pg_current_snapshot()", true, true},
        {"restored from another cluster, whose transactions had larger numbers",
         "ALTER TABLE skylark.instances DISABLE TRIGGER instances_route_changed;"
         "UPDATE skylark.instances SET route_xid = (pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 1000000)::text::xid8;"
         "ALTER TABLE skylark.instances ENABLE TRIGGER instances_route_changed", true, true},
        {"and changed here", "UPDATE skylark.instances SET ready_at = now() + interval '1 s', unroute_requested_at = NULL", false, true},
    };
    sql_run(c, "INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, container_id, state, started_at) VALUES "
               "('%s', '" SQL_SERVICE "', 0, 1, 'e', 'c', 'running', now())", instance);
    sql_run(c, "UPDATE skylark.instances SET address = '10.0.0.2' WHERE id = '%s'", instance);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].change != NULL)
            CHECK(sql_run(c, "%s", rows[i].change)[0] == '\0', "%s: %s", rows[i].what, PQerrorMessage(c));
        PGresult *r = sql_statement(c, &deployer_statements[DEPLOYER_INSTANCES_LOAD], params);
        CHECK(PQntuples(r) == 1, "%s", PQresultErrorMessage(r));
        bool served = db_bool(r, 0, DEPLOYER_INSTANCES_LOAD_C_ROUTE_SERVED), drained = db_bool(r, 0, DEPLOYER_INSTANCES_LOAD_C_DRAINED);
        CHECK(served == rows[i].served && drained == rows[i].drained, "%s: served %d, drained %d", rows[i].what, served, drained);
        PQclear(r);
    }
}

static bool routes_have(PGconn *c, const char *text)
{
    PGresult *r = sql_statement(c, &router_statements[ROUTER_ROUTES_LOAD], NULL);
    CHECK(PQntuples(r) == 1, "%s", PQresultErrorMessage(r));
    bool have = PQntuples(r) == 1 && strstr(db_text(r, 0, ROUTER_ROUTES_LOAD_C_ROUTES), text) != NULL;
    PQclear(r);
    return have;
}

static bool doctor_says(PGconn *c, const char *text)
{
    PGresult *r = sql_statement(c, &ctl_statements[CTL_DOCTOR], NULL);
    CHECK(PQntuples(r) > 5, "%s", PQresultErrorMessage(r));
    bool says = false;
    for (int i = 0; i < PQntuples(r); i++)
        says = says || strstr(db_text(r, i, CTL_DOCTOR_C_FINDING), text) != NULL;
    PQclear(r);
    return says;
}

/* A name that becomes the operator's own after a user has it leads to no service from then on, and doctor says so. */
static void test_own_names(void)
{
    PGconn *c = sql_with_service();
    sql_run(c, "INSERT INTO skylark.ports (service_id, container_port, endpoint_type) VALUES ('" SQL_SERVICE "', 80, 'http-endpoint')");
    sql_run(c, "INSERT INTO skylark.custom_domains VALUES ('api.example.org', '" SQL_SERVICE "', 1), ('x.apps.example.org', '" SQL_SERVICE "', 2), "
               "('apps.example.org', '" SQL_SERVICE "', 3), ('myapps.example.org', '" SQL_SERVICE "', 4)");
    CHECK(routes_have(c, "api.example.org") && routes_have(c, "x.apps.example.org"), "not served before");
    CHECK(doctor_says(c, "a user may take the name of your API"), "the names are not set, and nothing is said");
    sql_run(c, "UPDATE skylark.installation SET base_domain = 'apps.example.org', host_names = '{localhost,api.example.org}'");
    CHECK(!routes_have(c, "api.example.org") && !routes_have(c, "x.apps.example.org") && !routes_have(c, "\"apps.example.org\"]"), "served");
    CHECK(routes_have(c, "myapps.example.org") && routes_have(c, "web-demo.apps.example.org"), "more is taken away than those names");
    CHECK(doctor_says(c, "lead nowhere, since they are the operator's own: api.example.org, apps.example.org, x.apps.example.org"), "not said");
    sql_run(c, "UPDATE skylark.installation SET base_domain = 'skylark.localhost', host_names = '{localhost}'");
}

static void report(PGconn *c, const char *snapshot, const char *fault, const char *endpoint_faults)
{
    const char *params[ROUTER_FRONT_REPORT_P__MAX] = {
        [ROUTER_FRONT_REPORT_P_FRONT] = "h",
        [ROUTER_FRONT_REPORT_P_SNAPSHOT] = snapshot,
        [ROUTER_FRONT_REPORT_P_SERVERS] = "1",
        [ROUTER_FRONT_REPORT_P_BUSY] = "{}",
        [ROUTER_FRONT_REPORT_P_FAULT] = fault,
        [ROUTER_FRONT_REPORT_P_ENDPOINT_FAULTS] = endpoint_faults,
    };
    PGresult *r = sql_statement(c, &router_statements[ROUTER_FRONT_REPORT], params);
    CHECK(PQresultStatus(r) == PGRES_TUPLES_OK, "%s", PQresultErrorMessage(r));
    PQclear(r);
}

/* A fault of one endpoint is told to its service, wakes it, and is nobody else's. */
static void test_endpoint_fault(void)
{
    static const struct {
        const char *faults;
        bool wakes, mine;
    } rows[] = {
        {"{}", false, false},
        {"{\"" SQL_SERVICE "\": \"port 22 is not served: x\"}", true, true},
        {"{\"" SQL_SERVICE "\": \"port 22 is not served: x\"}", false, true},
        {"{\"" SQL_SERVICE "\": \"port 22 is not served: y\"}", true, true},
        {"{\"33333333-3333-4333-8333-333333333333\": \"port 1 is not served: z\"}", true, false},
        {"{}", false, false},
    };
    PGconn *c = sql_with_service();
    sql_run(c, "DELETE FROM skylark.fronts");
    const char *params[DEPLOYER_SERVICE_LOAD_P__MAX] = {[DEPLOYER_SERVICE_LOAD_P_SERVICE_ID] = SQL_SERVICE};
    sql_run(c, "DELETE FROM skylark.wakes");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sql_run(c, "UPDATE skylark.reconcile_queue SET due_at = 'infinity'");
        report(c, i == 0 ? "1:1:" : NULL, "", rows[i].faults);
        sql_run(c, "%s", deployer_statements[DEPLOYER_WAKES_TAKE].sql);
        bool woken = strcmp(sql_value(c, "SELECT due_at < 'infinity' FROM skylark.reconcile_queue WHERE service_id = '" SQL_SERVICE "'"), "t") == 0;
        CHECK(woken == rows[i].wakes, "row %zu: woken %d", i, woken);
        PGresult *r = sql_statement(c, &deployer_statements[DEPLOYER_SERVICE_LOAD], params);
        const char *spec = db_text(r, 0, DEPLOYER_SERVICE_LOAD_C_SPEC);
        bool mine = strstr(spec, "On the front h, port 22 is not served") != NULL;
        CHECK(mine == rows[i].mine, "row %zu: %s", i, spec);
        PQclear(r);
        CHECK(doctor_says(c, "h: demo/web: port 22 is not served") == rows[i].mine, "row %zu: doctor", i);
    }
    sql_run(c, "DELETE FROM skylark.fronts");
}

/* What is said of all fronts: to services that wait for one, and to the operator. */
static void test_front_trouble(void)
{
    static const struct {
        const char *change, *fault, *doctor;
    } rows[] = {
        {"DELETE FROM skylark.fronts", "", "none has ever reported"},
        {"INSERT INTO skylark.fronts (name, fault, fault_since) VALUES ('a', 'nginx: no', now())", "a: nginx: no", "a: nginx: no"},
        {"INSERT INTO skylark.fronts (name, applied_snapshot) VALUES ('b', '1:1:')", "", "a has never served: nginx: no"},
        {"UPDATE skylark.fronts SET fault = 'x', fault_since = now() WHERE name = 'b'", "b: x", "b: x"},
        {"UPDATE skylark.fronts SET observed_at = now() - interval '31 s' WHERE name = 'a'", "b: x", "skylarkctl front forget a"},
        {"UPDATE skylark.fronts SET observed_at = now() - interval '40 s' WHERE name = 'b'", "no skylark-router has reported since 2",
         "no skylark-router has reported since 2"},
    };
    PGconn *c = sql_with_service();
    char *output;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK(sql_run(c, "%s", rows[i].change)[0] == '\0', "%s", PQerrorMessage(c));
        const char *fault = sql_value(c, "SELECT fault FROM skylark.front_state");
        CHECK(strncmp(fault, rows[i].fault, strlen(rows[i].fault)) == 0 && (fault[0] == '\0') == (rows[i].fault[0] == '\0'), "row %zu: %s", i, fault);
        CHECK(doctor_says(c, rows[i].doctor), "row %zu: doctor", i);
    }
    int status = sql_ctl("skylark_shared", "front forget b", &output);
    CHECK(status == 0, "%s", output);
    free(output);
    status = sql_ctl("skylark_shared", "front forget b", &output);
    CHECK(status != 0 && strstr(output, "there is no such front") != NULL, "%s", output);
    free(output);
    CHECK(sql_ctl("skylark_shared", "front forget a", NULL) == 0, "forget");
    CHECK(strcmp(sql_value(c, "SELECT known FROM skylark.front_state"), "f") == 0, "still known");
}

/* --- volumes --- */

static void volumes_put(PGconn *c, const char *volumes)
{
    const char *removed[API_VOLUMES_REMOVE_P__MAX] = {
        [API_VOLUMES_REMOVE_P_SERVICE_ID] = SQL_SERVICE,
        [API_VOLUMES_REMOVE_P_WANTED] = volumes,
    };
    const char *added[API_VOLUMES_ADD_P__MAX] = {
        [API_VOLUMES_ADD_P_SERVICE_ID] = SQL_SERVICE,
        [API_VOLUMES_ADD_P_WANTED] = volumes,
    };
    change(c, API_VOLUMES_REMOVE, removed);
    change(c, API_VOLUMES_ADD, added);
}

static int volumes_faults(PGconn *c, const char *volumes)
{
    const char *params[API_VOLUMES_FAULTS_P__MAX] = {
        [API_VOLUMES_FAULTS_P_SERVICE_ID] = SQL_SERVICE,
        [API_VOLUMES_FAULTS_P_WANTED] = volumes,
    };
    PGresult *r = sql_statement(c, &api_statements[API_VOLUMES_FAULTS], params);
    int n = PQntuples(r);
    PQclear(r);
    return n;
}

/* The volumes as a container would be made with them now: number, driver, options. */
static const char *volumes_now(PGconn *c, bool made)
{
    static char text[512];
    const char *load[DEPLOYER_SERVICE_LOAD_P__MAX] = {[DEPLOYER_SERVICE_LOAD_P_SERVICE_ID] = SQL_SERVICE};
    PGresult *r = sql_statement(c, &deployer_statements[DEPLOYER_SERVICE_LOAD], load);
    snprintf(text, sizeof text, "%s", sql_value(c, "SELECT x.o::json->'volumes' FROM (SELECT $skylark$%s$skylark$ AS o) x",
                                             db_text(r, 0, DEPLOYER_SERVICE_LOAD_C_SPEC)));
    PQclear(r);
    if (made) {
        const char *params[DEPLOYER_VOLUMES_MADE_P__MAX] = {
            [DEPLOYER_VOLUMES_MADE_P_SERVICE_ID] = SQL_SERVICE,
            [DEPLOYER_VOLUMES_MADE_P_VOLUMES] = text,
        };
        r = sql_statement(c, &deployer_statements[DEPLOYER_VOLUMES_MADE], params);
        CHECK(PQresultStatus(r) == PGRES_COMMAND_OK, "%s", PQresultErrorMessage(r));
        PQclear(r);
    }
    return text;
}

#define DATA(type, size) "[{\"app_volume_dir\":\"/data\",\"volume_type\":\"" type "\",\"size_gb\":" size "}]"

/* Once it is on the engine, a volume stays what it is, whatever becomes of its entry and of its type. */
static void test_kept_volumes(void)
{
    PGconn *c = sql_with_service();
    sql_run(c, "INSERT INTO skylark.volume_types VALUES ('DISK', 'local', '{\"size\": \"{size_gb}G\"}') ON CONFLICT DO NOTHING");
    volumes_put(c, DATA("EBS", "1"));
    char first[512];
    snprintf(first, sizeof first, "%s", volumes_now(c, false));
    CHECK(volumes_faults(c, DATA("DISK", "2")) == 0, "nothing is there yet, and can't be changed");
    volumes_put(c, DATA("DISK", "2"));
    CHECK(strstr(volumes_now(c, false), "{size_gb}G") != NULL && atoi(sql_value(c, "SELECT count(*) FROM skylark.volumes")) == 1, "%s",
          volumes_now(c, false));
    char number[32];
    snprintf(number, sizeof number, "%s", sql_value(c, "SELECT id FROM skylark.volumes"));
    CHECK(strstr(first, number) == NULL, "another form has the same name on the engine");
    snprintf(first, sizeof first, "%s", volumes_now(c, true));
    CHECK(strcmp(sql_value(c, "SELECT number FROM skylark.kept_volumes"), number) == 0, "not noted");
    CHECK(volumes_faults(c, DATA("EBS", "2")) == 1 && volumes_faults(c, DATA("DISK", "3")) == 1 && volumes_faults(c, DATA("DISK", "2")) == 0,
          "what is there can be changed");
    sql_run(c, "UPDATE skylark.volume_types SET driver = 'other', options = '{}' WHERE name = 'DISK'");
    CHECK(strcmp(volumes_now(c, true), first) == 0, "the type's change reaches what is there: %s", volumes_now(c, false));
    CHECK(volumes_faults(c, DATA("DISK", "3")) == 1, "its size was enforced, and is free now");
    volumes_put(c, "[]");
    CHECK(strcmp(volumes_now(c, true), "[]") == 0, "still mounted");
    CHECK(volumes_faults(c, DATA("EBS", "2")) == 1, "what is kept can be changed");
    volumes_put(c, DATA("DISK", "2"));
    CHECK(strcmp(volumes_now(c, true), first) == 0, "put back, it is another: %s, not %s", volumes_now(c, false), first);
    sql_run(c, "DELETE FROM skylark.services");
    CHECK(sql_run(c, "DELETE FROM skylark.volume_types WHERE name = 'DISK'")[0] == '\0', "%s", PQerrorMessage(c));
    CHECK(atoi(sql_value(c, "SELECT count(*) FROM skylark.kept_volumes")) == 0, "kept beyond the service");
}

/* --- links --- */

static PGresult *link_one(PGconn *c, const char *from, const char *links)
{
    const char *lock[API_LINKS_LOCK_P__MAX] = {
        [API_LINKS_LOCK_P_NAMESPACE_ID] = sql_value(c, "SELECT namespace_id FROM skylark.services WHERE name = 's1'"),
    };
    const char *put[API_LINKS_REPLACE_P__MAX] = {
        [API_LINKS_REPLACE_P_SERVICE_ID] = from,
        [API_LINKS_REPLACE_P_WANTED] = links,
    };
    const char *circle[API_LINKS_CIRCLE_P__MAX] = {[API_LINKS_CIRCLE_P_SERVICE_ID] = from};
    PQclear(sql_statement(c, &api_statements[API_LINKS_LOCK], lock));
    PQclear(sql_statement(c, &api_statements[API_LINKS_REPLACE], put));
    return sql_statement(c, &api_statements[API_LINKS_CIRCLE], circle);
}

/* Two requests at once, each of which alone closes no circle: the second waits for the first, and sees it. */
static void test_links_at_once(void)
{
    static const char *const ids[] = {"11111111-1111-4111-8111-000000000001", "11111111-1111-4111-8111-000000000002",
                                      "11111111-1111-4111-8111-000000000003", "11111111-1111-4111-8111-000000000004"};
    PGconn *c = sql_with_service(), *other = sql_connect("skylark_shared", NULL);
    for (int i = 0; i < 4; i++)
        sql_run(c, "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by) "
                   "SELECT '%s', id, 's%d', 'x', 'XS', 'demo' FROM skylark.namespaces WHERE name = 'demo'", ids[i], i + 1);
    PQclear(link_one(c, ids[1], "{\"s3\":\"a\"}"));
    PQclear(link_one(c, ids[3], "{\"s1\":\"a\"}"));
    sql_run(c, "BEGIN");
    PGresult *r = link_one(c, ids[0], "{\"s2\":\"a\"}");
    CHECK(PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 0, "no circle yet: %s", PQresultErrorMessage(r));
    PQclear(r);
    sql_run(other, "BEGIN");
    char space[32];
    snprintf(space, sizeof space, "%s", sql_value(other, "SELECT namespace_id FROM skylark.services WHERE name = 's1'"));
    const char *lock[API_LINKS_LOCK_P__MAX] = {[API_LINKS_LOCK_P_NAMESPACE_ID] = space};
    CHECK(PQsendQueryParams(other, api_statements[API_LINKS_LOCK].sql, API_LINKS_LOCK_P__MAX, NULL, lock, NULL, NULL, 0), "send");
    CHECK(sql_waits_for_lock(c, other), "the second did not wait");
    sql_run(c, "COMMIT");
    while ((r = PQgetResult(other)) != NULL)
        PQclear(r);
    r = link_one(other, ids[2], "{\"s4\":\"a\"}");
    CHECK(PQntuples(r) == 1 && strcmp(db_text(r, 0, API_LINKS_CIRCLE_C_FIELD), "linked_to_apps.s4") == 0, "the circle is not seen: %d", PQntuples(r));
    PQclear(r);
    PQfinish(other);
}

/* --- networks --- */

/* What a deployer would make of a service: its network, and the names of the services at the other ends of links that have one. */
static const char *networks_of(PGconn *c, const char *name, char out[200])
{
    char id[40];
    snprintf(id, sizeof id, "%s", sql_value(c, "SELECT id FROM skylark.services WHERE name = '%s'", name));
    const char *params[DEPLOYER_SERVICE_LOAD_P__MAX] = {[DEPLOYER_SERVICE_LOAD_P_SERVICE_ID] = id};
    PGresult *r = sql_statement(c, &deployer_statements[DEPLOYER_SERVICE_LOAD], params);
    char *spec = PQescapeLiteral(c, db_text(r, 0, DEPLOYER_SERVICE_LOAD_C_SPEC), db_length(r, 0, DEPLOYER_SERVICE_LOAD_C_SPEC));
    snprintf(out, 200, "%s", sql_value(c, "SELECT CASE WHEN j ->> 'network' = j ->> 'namespace_network' THEN 'common' ELSE 'own' END "
                                          "|| COALESCE((SELECT string_agg(format(' %%s>%%s', l ->> 'source_name', l ->> 'target_name'), '' "
                                          "ORDER BY l ->> 'source_name', l ->> 'target_name') FROM json_array_elements(j -> 'link_networks') l "
                                          "WHERE length(l ->> 'network') = 15), '') FROM (SELECT %s::json AS j) x", spec));
    PQfreemem(spec);
    PQclear(r);
    return out;
}

static void networks_are(PGconn *c, const char *s1, const char *s2, const char *s3, const char *when)
{
    char seen[200];
    CHECK(strcmp(networks_of(c, "s1", seen), s1) == 0, "%s: s1 %s", when, seen);
    CHECK(strcmp(networks_of(c, "s2", seen), s2) == 0, "%s: s2 %s", when, seen);
    CHECK(strcmp(networks_of(c, "s3", seen), s3) == 0, "%s: s3 %s", when, seen);
}

/* Who is in which network: s1 links to s2, and s2 to s3. */
static void test_networks(void)
{
    static const char *const ids[] = {"11111111-1111-4111-8111-000000000001", "11111111-1111-4111-8111-000000000002",
                                      "11111111-1111-4111-8111-000000000003"};
    static const char instance[] = "22222222-2222-4222-8222-000000000001";
    PGconn *c = sql_with_service();
    for (int i = 0; i < 3; i++)
        sql_run(c, "INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by) "
                   "SELECT '%s', id, 's%d', 'x', 'XS', 'demo' FROM skylark.namespaces WHERE name = 'demo'", ids[i], i + 1);
    PQclear(link_one(c, ids[0], "{\"s2\":\"a\"}"));
    PQclear(link_one(c, ids[1], "{\"s3\":\"a\"}"));
    sql_run(c, "INSERT INTO skylark.ports (service_id, container_port, endpoint_type) VALUES ('%s', 80, 'http-endpoint')", ids[1]);
    networks_are(c, "common", "common", "common", "no internal-endpoint");
    sql_run(c, "INSERT INTO skylark.ports (service_id, container_port, endpoint_type) VALUES ('%s', 22, 'internal-endpoint')", ids[1]);
    networks_are(c, "common s1>s2", "own s1>s2 s2>s3", "common s2>s3", "s2 has one");
    /* It is given up: new instances are in the common network, and links lead to those that are not yet gone. */
    sql_run(c, "INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id) VALUES ('%s', '%s', 0, 1, 'e')", instance, ids[1]);
    sql_run(c, "INSERT INTO skylark.instance_ports (instance_id, position, container_port, protocol, endpoint_type) "
               "VALUES ('%s', 1, 22, 'tcp', 'internal-endpoint')", instance);
    sql_run(c, "DELETE FROM skylark.ports WHERE endpoint_type = 'internal-endpoint'");
    networks_are(c, "common s1>s2", "common s1>s2 s2>s3", "common s2>s3", "an instance of before");
    sql_run(c, "UPDATE skylark.instances SET state = 'removed', removed_at = now() WHERE id = '%s'", instance);
    networks_are(c, "common", "common", "common", "it is gone");
    /* While a service turns into what its row says, others leave its networks alone. */
    static const struct {
        const char *change, *turning;
    } cases[] = {
        {"SELECT 1", "t"},
        {"UPDATE skylark.service_status t SET observed_generation = s.generation FROM skylark.services s WHERE s.id = t.service_id", "f"},
        {"UPDATE skylark.services SET image_name = 'y'", "t"},
        {"UPDATE skylark.service_status t SET observed_generation = s.generation FROM skylark.services s WHERE s.id = t.service_id", "f"},
        {"UPDATE skylark.services SET deleted_at = now()", "t"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *params[DEPLOYER_SERVICE_TURNING_P__MAX] = {[DEPLOYER_SERVICE_TURNING_P_SERVICE_ID] = ids[0]};
        sql_run(c, "%s", cases[i].change);
        PGresult *r = sql_statement(c, &deployer_statements[DEPLOYER_SERVICE_TURNING], params);
        CHECK(PQntuples(r) == 1 && strcmp(db_text(r, 0, DEPLOYER_SERVICE_TURNING_C_TURNING), cases[i].turning) == 0, "%s: not %s",
              cases[i].change, cases[i].turning);
        PQclear(r);
    }
}

/* --- the operator's settings --- */

static void test_settings(void)
{
    static const struct {
        const char *words, *says; /* says "": they are good */
    } rows[] = {
        {"service_ports=20000", "service_ports: must be FIRST-LAST"},
        {"service_ports=", "service_ports: must be FIRST-LAST"},
        {"service_ports=30000-20000", "service_ports: must be FIRST-LAST"},
        {"service_ports=20000-29999-5", "service_ports: must be FIRST-LAST"},
        {"service_ports=0-10", "service_ports: must be FIRST-LAST"},
        {"service_ports=1-65536", "service_ports: must be FIRST-LAST"},
        {"base_domain=A_b", "base_domain: must be a host name"},
        {"host_names=https://api.example.org,b", "this is none: https://api.example.org"},
        {"front_address=nowhere", "nowhere"},
        {"base_domain=.x service_ports=x host_names=/", "service_ports: must be"},
        {"'host_names=API.example.org, localhost' service_ports=20001-20002", ""},
    };
    PGconn *c = sql_with_service();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char words[256], before[256], *output;
        snprintf(words, sizeof words, "settings set %s", rows[i].words);
        snprintf(before, sizeof before, "%s", sql_value(c, "SELECT i::text FROM skylark.installation i"));
        int status = sql_ctl("skylark_shared", words, &output);
        CHECK((status == 0) == (rows[i].says[0] == '\0') && strstr(output, rows[i].says) != NULL, "%s: %d %s", rows[i].words, status, output);
        CHECK(status == 0 || strcmp(before, sql_value(c, "SELECT i::text FROM skylark.installation i")) == 0, "%s: something was changed", words);
        free(output);
    }
    CHECK(strcmp(sql_value(c, "SELECT host_names FROM skylark.installation"), "{api.example.org,localhost}") == 0, "%s",
          sql_value(c, "SELECT host_names FROM skylark.installation"));
    sql_run(c, "UPDATE skylark.installation SET host_names = '{localhost}', service_port_first = 20000, service_port_last = 29999");
}

const struct check_test tests_endpoints[] = {
    {"public ports", test_public_ports},
    {"public ports, asked for at once", test_public_ports_at_once},
    {"a public port is exchanged while the range is full", test_public_ports_exchanged},
    {"what a front serves", test_served},
    {"names that have become the operator's", test_own_names},
    {"a fault of one endpoint", test_endpoint_fault},
    {"what is said of the fronts", test_front_trouble},
    {"what is on the engine stays what it is", test_kept_volumes},
    {"a circle of links, made at once", test_links_at_once},
    {"networks of services and of links", test_networks},
    {"bad settings", test_settings},
    {0},
};
