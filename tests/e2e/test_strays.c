/* Containers that should not be there, or can't be got rid of: none is counted, none keeps its service from anything. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/e2e.h"

/* Makes a container like a service's own, as if it were that of another instance, and starts it. Returns its id, which the caller frees. */
static char *stray_make(const char *service, const char *instance)
{
    struct engine_container c;
    struct json_object *own, *body = json_object_new_object(), *labels, *answer;
    if (!CHECK(engine_find(service, -1, &c), "%s has no container", service))
        return strdup("");
    engine_call("GET", NULL, &own, "/containers/%s/json", c.id);
    labels = json_object_get(doc_at(own, "Config.Labels"));
    json_object_object_add(labels, "skylark.instance", json_object_new_string(instance));
    json_object_object_add(body, "Image", json_object_new_string(c.image));
    json_object_object_add(body, "Labels", labels);
    engine_call("POST", json_object_to_json_string(body), &answer, "/containers/create");
    char *id = strdup(doc_text(answer, "Id"));
    long started = engine_call("POST", NULL, NULL, "/containers/%s/start", id);
    CHECK(started == 204, "a stray is not started: %ld; %s", started, json_object_to_json_string(answer));
    json_object_put(own);
    json_object_put(body);
    json_object_put(answer);
    return id;
}

static bool container_is_gone(const char *id, double seconds)
{
    long status = 0;
    for (double end = 0; status != 404 && world_waiting(&end, seconds);)
        status = engine_call("GET", NULL, NULL, "/containers/%s/json", id);
    return status == 404;
}

/* Waits until a statement says true. */
static bool sql_holds(double seconds, const char *sql)
{
    char *said = NULL;
    bool holds = false;
    for (double end = 0; !holds && world_waiting(&end, seconds);) {
        free(said);
        said = world_sql("%s", sql);
        holds = strcmp(said, "t") == 0;
    }
    CHECK(holds, "%s: %s", sql, said != NULL ? said : "");
    free(said);
    return holds;
}

#define INSTANCES_OF(name) "skylark.instances i JOIN skylark.services s ON s.id = i.service_id WHERE s.name = '" name "'"

/* Whatever instance a container claims to be: if that has no row, one that is removed, or one with another container, it goes. */
static void test_no_live_row(void)
{
    if (!service_create("strays", "v1", 1, "") || !service_runs("madams", "strays", 1, 60))
        return;
    CHECK(engine_kill_one("strays", -1, NULL), "it can't be killed");
    if (!sql_holds(60, "SELECT count(*) FILTER (WHERE i.state = 'removed') = 1 AND count(*) FILTER (WHERE i.state = 'running') = 1 "
                       "FROM " INSTANCES_OF("strays")))
        return;
    char *removed = world_sql("SELECT i.id FROM " INSTANCES_OF("strays") " AND i.state = 'removed'");
    char *running = world_sql("SELECT i.id FROM " INSTANCES_OF("strays") " AND i.state = 'running'");
    const char *const claims[] = {removed, running, "99999999-0000-1000-8000-000000000000", "no uuid"};
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        char *id = stray_make("strays", claims[i]);
        CHECK(container_is_gone(id, 30), "a container that claims to be %s (%zu) is still there", claims[i], i);
        service_runs("madams", "strays", 1, 30);
        free(id);
    }
    char *still = world_sql("SELECT i.id FROM " INSTANCES_OF("strays") " AND i.state = 'running'");
    CHECK(strcmp(still, running) == 0, "the instance was %s, and is %s", running, still);
    /* A service that is deleted meanwhile ends all the same. */
    char *last = stray_make("strays", removed);
    service_delete("strays");
    sql_holds(60, "SELECT NOT EXISTS (SELECT FROM skylark.services WHERE name = 'strays')");
    free(last);
    free(still);
    free(removed);
    free(running);
}

/* Starts a container by hand, and waits until it does not run any more. */
static void check_ended_again(const char *id)
{
    long status = engine_call("POST", NULL, NULL, "/containers/%s/start", id);
    CHECK(status == 204, "the ended container is not started: %ld", status);
    bool runs = true;
    for (double end = 0; runs && world_waiting(&end, 30);) {
        struct json_object *one = NULL;
        engine_call("GET", NULL, &one, "/containers/%s/json", id);
        runs = one == NULL || strcmp(doc_text(one, "State.Status"), "running") == 0;
        json_object_put(one);
    }
    CHECK(!runs, "%s runs on beside its replacement", id);
}

/* An instance that has ended is kept while its log is not stored. Its replacement has its place: started by hand, it is ended again,
 * and what people want of the service is done meanwhile. */
static void test_started_by_hand(void)
{
    char id[80];
    if (!service_create("superseded", "v1", 1, "") || !service_runs("madams", "superseded", 1, 60))
        return;
    process_kill("collector");
    CHECK(engine_kill_one("superseded", -1, id), "it can't be killed");
    sql_holds(60, "SELECT count(*) FILTER (WHERE i.state = 'exited') = 1 AND count(*) FILTER (WHERE i.state = 'running') = 1 "
                  "FROM " INSTANCES_OF("superseded"));
    check_ended_again(id);
    CHECK(api_status("PUT", "{\"target_num_instances\":2}", "/v1/services/madams/superseded/") == 200, "scale");
    sql_holds(60, "SELECT count(*) = 2 FROM " INSTANCES_OF("superseded") " AND i.state = 'running'");
    check_ended_again(id);
    local_run(); /* the collector, which stores the log */
    CHECK(container_is_gone(id, 60), "the ended container is still there");
    service_runs("madams", "superseded", 2, 60);
    service_delete("superseded");
    sql_holds(60, "SELECT NOT EXISTS (SELECT FROM skylark.services WHERE name = 'superseded')");
}

#define INSTANCES 4

/* A dead container with a file that nobody may remove. Its service is made whole all the same, says so, and it is removed when it can be. */
static void test_immutable(void)
{
    char ids[INSTANCES][80];
    if (!service_create("immutable", "v1", INSTANCES, "") || !service_runs("madams", "immutable", INSTANCES, 60))
        return;
    for (int i = 0; i < INSTANCES; i++) {
        struct engine_container c = {0};
        CHECK(engine_find("immutable", i, &c), "no instance %d", i);
        snprintf(ids[i], sizeof ids[i], "%s", c.id);
    }
    int status;
    free(world_shell(&status, "f='%s/docker/containers/%s/kept'; touch \"$f\" && chattr +i \"$f\"", world.var, ids[0]));
    CHECK(status == 0, "no immutable file: %d", status);
    for (int i = 0; i < INSTANCES; i++)
        CHECK(engine_kill(ids[i]), "instance %d can't be killed", i);
    sql_holds(60, "SELECT count(*) = 4 AND bool_and(i.created_at > s.created_at + interval '1 ms') FROM " INSTANCES_OF("immutable")
                  " AND i.state = 'running'");
    service_says("immutable", "Running", "can't be removed", 60);
    CHECK(api_status("PUT", "{\"target_num_instances\":2}", "/v1/services/madams/immutable/") == 200, "scale");
    sql_holds(60, "SELECT count(*) = 2 FROM " INSTANCES_OF("immutable") " AND i.state = 'running'");
    /* It is tried ever more slowly: not in every pass. */
    int64_t tries = world_sql_number("SELECT i.removal_failures FROM " INSTANCES_OF("immutable") " AND i.removal_failures > 0");
    CHECK(tries > 0, "%d failed removals are noted", (int)tries);
    free(world_shell(&status, "chattr -i '%s/docker/containers/%s/kept'", world.var, ids[0]));
    CHECK(status == 0, "the file stays immutable: %d", status);
    CHECK(container_is_gone(ids[0], 60), "the dead container is still there");
    service_runs("madams", "immutable", 2, 60);
    service_says("immutable", "Running", "", 30);
    service_delete("immutable");
}

const struct check_test tests_strays[] = {
    {"strays: a container without a live row is removed", test_no_live_row},
    {"strays: an ended container that is started by hand is ended again", test_started_by_hand},
    {"strays: a dead container that can't be removed keeps its service from nothing", test_immutable},
    {0},
};
