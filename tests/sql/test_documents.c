/* The API's documents, of rows made by hand: what clients of 2015 and 2016 read, and what they may not find null. */
#include <string.h>

#include "tests/sql/suites.h"

#define RUNNING "66666666-0000-4000-8000-000000000000"
#define STAGED "77777777-0000-4000-8000-000000000000"

static void run(PGconn *c, const char *sql)
{
    const char *state = sql_run(c, "%s", sql);
    CHECK(state[0] == '\0', "%s: %s", sql, PQerrorMessage(c));
}

/* The value at a path of the service's document, as text. */
static const char *shown(PGconn *c, const char *path)
{
    return sql_value(c, "SELECT document #>> '%s' FROM skylark.service_documents WHERE service_id = '" SQL_SERVICE "'", path);
}

#define CHECK_SHOWN(c, path, expected)                                                                                 \
    CHECK(strcmp(shown(c, path), expected) == 0, "%s: %s, not %s", path, shown(c, path), expected)

/* One instance that runs, one that has never started. */
static PGconn *with_instances(void)
{
    PGconn *c = sql_with_service();
    run(c, "INSERT INTO skylark.ports (service_id, container_port, endpoint_type) VALUES ('" SQL_SERVICE "', 80, 'http-endpoint'), "
           "('" SQL_SERVICE "', 22, 'direct-endpoint'), ('" SQL_SERVICE "', 5432, 'internal-endpoint')");
    run(c, "INSERT INTO skylark.instances (id, service_id, slot, generation, engine_id, container_id, state, started_at) VALUES "
           "('" RUNNING "', '" SQL_SERVICE "', 1, 1, 'e', 'c1', 'running', now()), ('" STAGED "', '" SQL_SERVICE "', 0, 1, 'e', 'c0', 'created', NULL)");
    run(c, "INSERT INTO skylark.instance_ports (instance_id, position, container_port, protocol, endpoint_type, host_address, host_port) VALUES "
           "('" RUNNING "', 1, 80, 'tcp', 'http-endpoint', NULL, NULL), ('" RUNNING "', 2, 22, 'tcp', 'direct-endpoint', '10.1.1.1', 32768), "
           "('" RUNNING "', 3, 5432, 'tcp', 'internal-endpoint', NULL, NULL)");
    return c;
}

static void test_instances(void)
{
    PGconn *c = with_instances();
    CHECK_SHOWN(c, "{current_num_instances}", "2");
    CHECK_SHOWN(c, "{staged_num_instances}", "1");
    CHECK(strcmp(sql_value(c, "SELECT json_array_length(document->'instances') FROM skylark.service_documents"), "1") == 0,
          "an instance that has never started is listed: %s", shown(c, "{instances}"));
    CHECK_SHOWN(c, "{instances,0,uuid}", RUNNING);
    CHECK(shown(c, "{instances,0,started_at}")[0] != '\0', "no started_at: %s", shown(c, "{instances}"));
    CHECK_SHOWN(c, "{instances,0,instance_ports,0,service_port}", "80");
    CHECK_SHOWN(c, "{instances,0,instance_ports,0,container_port}", "80");
    CHECK_SHOWN(c, "{instances,0,instance_ports,1,service_port}", "32768");
    CHECK_SHOWN(c, "{instances,0,instance_ports,1,ipaddress}", "10.1.1.1");
    CHECK_SHOWN(c, "{instances,0,instance_ports,2,service_port}", "5432");
    CHECK_SHOWN(c, "{instances,0,instance_ports,2,default_domain}", "web");
    CHECK(strcmp(sql_value(c, "SELECT document->'instances'->0->>'instance_ports' = (SELECT i.document->>'instance_ports' FROM skylark.instance_documents i "
                              "WHERE i.instance_id = '" RUNNING "') FROM skylark.service_documents"), "t") == 0, "the two lists differ");
    /* The service's own list shows a direct-endpoint by its first instance. */
    CHECK_SHOWN(c, "{instance_ports,1,service_port}", "32768");
    CHECK_SHOWN(c, "{instance_ports,1,ipaddress}", "10.1.1.1");
    CHECK_SHOWN(c, "{instance_ports,2,ipaddress}", "");
    /* What the instance was made with is gone from the service: still numbers and texts. */
    run(c, "DELETE FROM skylark.ports");
    CHECK(strcmp(sql_value(c, "SELECT count(*) FROM skylark.service_documents d, json_array_elements(d.document->'instances'->0->'instance_ports') p "
                              "WHERE json_typeof(p->'service_port') = 'number' AND json_typeof(p->'ipaddress') = 'string' "
                              "AND json_typeof(p->'default_domain') = 'string'"), "3") == 0, "%s", shown(c, "{instances}"));
}

/* Clients poll until is_deploying is false: it is, in trouble, and status_message says what goes on. */
static void test_error(void)
{
    PGconn *c = with_instances();
    static const struct {
        const char *what, *change, *status, *deploying, *message;
    } rows[] = {
        {"an engine that nobody has seen", "DELETE FROM skylark.engines", "Error", "false", "No deployer has reported from a container engine yet."},
        {"an engine, and one instance of two",
         "UPDATE skylark.installation SET engine_id = 'e', engine_recorded_at = now(); INSERT INTO skylark.engines (engine_id, state) VALUES ('e', 'reachable');"
         "UPDATE skylark.services SET target_num_instances = 2", "Deploying", "true", "1 of 2 instances run."},
        {"a pass that says what it waits for",
         "UPDATE skylark.service_status s SET observed_revision = q.revision, message = 'Waits.' FROM skylark.services q WHERE q.id = s.service_id",
         "Deploying", "true", "Waits."},
        {"a pass that failed", "UPDATE skylark.service_status SET condition = 'failing', message = 'It ended with 3; trying again.'", "Error", "false",
         "It ended with 3; trying again. 1 of 2 instances run."},
        {"another wish since", "UPDATE skylark.services SET target_num_instances = 3", "Deploying", "true", "1 of 3 instances run."},
        {"a silent engine", "UPDATE skylark.engines SET state = 'unreachable', message = 'it hangs'", "Error", "false", NULL},
        {"a deployer that is gone", "UPDATE skylark.engines SET state = 'reachable', observed_at = now() - interval '31 s'", "Error", "false", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        run(c, rows[i].change);
        CHECK(strcmp(shown(c, "{current_status}"), rows[i].status) == 0, "%s: %s", rows[i].what, shown(c, "{current_status}"));
        CHECK(strcmp(shown(c, "{is_deploying}"), rows[i].deploying) == 0, "%s: is_deploying %s", rows[i].what, shown(c, "{is_deploying}"));
        CHECK(rows[i].message == NULL || strcmp(shown(c, "{status_message}"), rows[i].message) == 0, "%s: %s", rows[i].what,
              shown(c, "{status_message}"));
    }
    run(c, "UPDATE skylark.installation SET engine_id = NULL, engine_recorded_at = NULL; DELETE FROM skylark.engines");
}

/* Parts that come with a new service are no redeployment; what needs new containers later is. */
static void test_redeployed(void)
{
    static const char ask[] = "SELECT last_redeployed_at IS NOT NULL FROM skylark.services WHERE id = '" SQL_SERVICE "'";
    PGconn *c = sql_with_service();
    run(c, "DELETE FROM skylark.services");
    run(c, "BEGIN; INSERT INTO skylark.services (id, namespace_id, name, image_name, instance_size, created_by) SELECT '" SQL_SERVICE "', id, 'web', 'x', 'XS', 'demo' "
           "FROM skylark.namespaces WHERE name = 'demo'; INSERT INTO skylark.envvars VALUES ('" SQL_SERVICE "', 'A', 'b'); COMMIT");
    CHECK(strcmp(sql_value(c, "%s", ask), "f") == 0, "redeployed by its creation");
    run(c, "UPDATE skylark.services SET target_num_instances = 2");
    CHECK(strcmp(sql_value(c, "%s", ask), "f") == 0, "redeployed by another count");
    CHECK(strcmp(shown(c, "{last_redeployed_at}"), "") == 0, "%s", shown(c, "{last_redeployed_at}"));
    run(c, "UPDATE skylark.envvars SET value = 'c'");
    CHECK(strcmp(sql_value(c, "%s", ask), "t") == 0, "not redeployed by another environment");
    CHECK(shown(c, "{last_redeployed_at}")[0] != '\0', "it is not shown");
}

const struct check_test tests_documents[] = {
    {"documents: instances bear their ports, and only those that started", test_instances},
    {"documents: trouble ends is_deploying, and says what goes on", test_error},
    {"documents: when a service was redeployed", test_redeployed},
    {0},
};
