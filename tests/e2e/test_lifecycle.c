/* Create, start, stop, update, delete, logs: seen on the engine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/e2e/e2e.h"
#include "tests/lib/seed.h"

static void check_seed_ports(void)
{
    int port = (int)service_number("test", "instance_ports[0].service_port");
    tcp_are(10, "127.0.0.1", port, TEXTS("tcp test-0 latest ping", "tcp test-1 latest ping"));
    struct answer a = api("GET", NULL, "/v1/services/madams/test/instances/");
    for (int i = 0; i < 2; i++) {
        struct json_object *one = json_object_array_get_idx(a.json, (size_t)i);
        char expected[64];
        snprintf(expected, sizeof expected, "tcp test-%s latest ping", doc_text(one, "instance_name") + strlen("test."));
        CHECK(doc_int(one, "instance_ports[0].service_port") == port, "%s", a.raw.body);
        tcp_says(0, doc_text(one, "instance_ports[1].ipaddress"), (int)doc_int(one, "instance_ports[1].service_port"), expected);
    }
    api_free(&a);
}

/* Every part of it, seen working on the engine. */
static void test_seed(void)
{
    char body[4096];
    snprintf(body, sizeof body, SEED_CREATE_FORMAT, world.registry);
    struct answer a = api("POST", body, "/v1/services/madams");
    REQUIRE(a.status == 201, "%ld %s", a.status, a.raw.body);
    api_free(&a);
    if (!service_runs("madams", "test", 2, 60))
        return;
    for (int slot = 0; slot < 2; slot++)
        exec_says(0, "test", slot, "root 123456 127.0.0.1 5432 pypg2 scale_with_db test-madams.skylark.localhost\nwritten\n",
                  TEXTS("/bin/sh", "-c", "echo $POSTGRES_USER $POSTGRES_PASSWORD $PG_HOST $PG_PORT $REPO_NAME $FILENAME $__DEFAULT_DOMAIN_NAME__; "
                                         ": >/data1/x && : >/data2/x && echo written"));
    volumes_are(0, "skylark.service", 4);
    check_seed_ports();
    /* No http-endpoint: its own domain leads nowhere, and above all not to the API as a tenant's. */
    page_answers(0, (struct http_call){.base = "https://my-own-domain.cn:8443/", .insecure = true}, 404, NULL, NULL);
    service_delete("test");
    volumes_are(20, "skylark.service", 0);
}

static bool states(const char *state, const char *status, int containers)
{
    char last[256] = "";
    for (double end = 0; world_waiting(&end, 40);) {
        struct answer a = api("GET", NULL, "/v1/services/madams/life/");
        int n = engine_containers("madams", "life", true, NULL);
        bool there = strcmp(doc_text(a.json, "current_status"), status) == 0 && strcmp(doc_text(a.json, "target_state"), state) == 0 &&
                     doc_int(a.json, "current_num_instances") == containers && n == containers &&
                     !json_object_get_boolean(doc_at(a.json, "is_deploying"));
        snprintf(last, sizeof last, "%s %s, engine has %d: %s", doc_text(a.json, "current_status"), doc_text(a.json, "target_state"), n,
                 doc_text(a.json, "status_message"));
        api_free(&a);
        if (there)
            return true;
    }
    return CHECK(false, "not %s with %d: %s", status, containers, last);
}

static void test_stop_start(void)
{
    if (!service_create("life", "v1", 2, "") || !service_runs("madams", "life", 2, 60))
        return;
    struct answer a = api("PUT", NULL, "/v1/services/madams/life/stop");
    CHECK(a.status == 200 && strcmp(doc_text(a.json, "target_state"), "STOPPED") == 0, "%ld %s", a.status, a.raw.body);
    api_free(&a);
    states("STOPPED", "Stopped", 0);
    a = api("GET", NULL, "/v1/services/madams/life/");
    CHECK(doc_text(a.json, "stopped_at")[0] != '\0', "stopped_at: %s", a.raw.body);
    api_free(&a);
    CHECK(api_status("PUT", NULL, "/v1/services/madams/life/start/") == 200, "start");
    states("STARTED", "Running", 2);
    a = api("GET", NULL, "/v1/services/madams/life/logs/?limit=100");
    CHECK(strstr(a.raw.body, "\"tag v1\"") != NULL && strstr(a.raw.body, "\"told to end\"") != NULL, "%.500s", a.raw.body);
    api_free(&a);
}

/* To three instances and another tag, one at a time: what ran goes on until the new one does. */
static void test_update(void)
{
    long before = (long)time(NULL);
    struct sampler *sampler = sampler_start("life");
    struct answer a = api("PUT", "{\"service_name\":\"life\",\"target_num_instances\":3,\"image_tag\":\"v2\",\"scaling_mode\":\"MANUAL\"}",
                          "/v1/services/madams/life");
    CHECK(a.status == 200 && json_object_get_boolean(doc_at(a.json, "is_deploying")), "%ld %s", a.status, a.raw.body);
    api_free(&a);
    service_runs("madams", "life", 3, 90);
    sampler_stop(sampler, 2.5, 2, "rolling update");
    for (int slot = 0; slot < 3; slot++) {
        struct engine_container c;
        struct json_object *one = NULL;
        if (CHECK(engine_find("life", slot, &c), "no life.%d", slot))
            engine_call("GET", NULL, &one, "/containers/%s/json", c.id);
        CHECK(strstr(json_object_to_json_string(doc_at(one, "Config.Env")), "\"TAG=v2\"") != NULL, "%s", json_object_to_json_string(doc_at(one, "Config")));
        json_object_put(one);
    }
    int tags = 0;
    for (double end = 0; tags != 3 && world_waiting(&end, 10);) {
        tags = 0;
        a = api("GET", NULL, "/v1/services/madams/life/logs/?start_time=%ld&end_time=%ld", before, (long)time(NULL) + 1);
        for (int64_t i = 0; i < doc_len(a.json, ""); i++)
            tags += strcmp(doc_text(json_object_array_get_idx(a.json, (size_t)i), "message"), "tag v2") == 0;
        api_free(&a);
    }
    CHECK(tags == 3, "%d instances logged the new tag", tags);
    a = api("GET", NULL, "/v1/services/madams/life/logs/?start_time=%ld&end_time=%ld", before - 1000, before - 900);
    CHECK(a.status == 200 && doc_len(a.json, "") == 0, "%.300s", a.raw.body);
    api_free(&a);
}

/* To an image that can't be pulled: the old instances stay, and it says why. */
static void test_bad_update(void)
{
    struct sampler *sampler = sampler_start("life");
    CHECK(api_status("PUT", "{\"image_tag\":\"no-such-tag\"}", "/v1/services/madams/life/") == 200, "update");
    service_says("life", "Error", "no-such-tag", 30);
    CHECK(engine_containers("madams", "life", false, NULL) == 3, "the old instances");
    for (double end = 0; world_watching(&end, 3);) /* some passes later */
        ;
    CHECK(world_sql_number("SELECT count(*) FROM skylark.events WHERE service_name = 'life' AND action = 'update_failing'") == 1,
          "an update that fails is one event");
    CHECK(api_status("PUT", "{\"image_tag\":\"v3\"}", "/v1/services/madams/life/") == 200, "update");
    service_runs("madams", "life", 3, 90);
    sampler_stop(sampler, 2.5, 3, "update to what can't be pulled, and on");
    /* Down to one. */
    CHECK(api_status("PUT", "{\"target_num_instances\":\"1\"}", "/v1/services/madams/life/") == 200, "scale down");
    service_runs("madams", "life", 1, 30);
}

static void test_delete(void)
{
    service_delete("life");
    CHECK(api_status("GET", NULL, "/v1/services/madams/life/") == 404, "get");
    CHECK(api_status("GET", NULL, "/v1/services/madams/life/logs/") == 404, "logs");
    CHECK(api_status("PUT", NULL, "/v1/services/madams/life/start/") == 404, "start");
}

const struct check_test tests_lifecycle[] = {
    {"the seed's create, on the engine", test_seed}, {"stop and start", test_stop_start}, {"update to 3 and another tag", test_update},
    {"update to an image that can't be pulled", test_bad_update}, {"delete", test_delete}, {0},
};
