/* Create, start, stop, update, delete, logs: seen on the engine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/e2e/e2e.h"

static void test_seed(void)
{
    char body[2048];
    snprintf(body, sizeof body,
             "{\"service_name\":\"seed\",\"namespace\":\"madams\",\"image_name\":\"%s/alauda/ubuntu\",\"image_tag\":\"latest\","
             "\"run_command\":\"\",\"instance_size\":\"XS\",\"scaling_mode\":\"MANUAL\",\"target_state\":\"STARTED\","
             "\"custom_domain_name\":\"my-own-domain.cn\",\"target_num_instances\":2,\"instance_envvars\":{\"POSTGRES_USER\":\"root\","
             "\"PG_PORT\":\"5432\"},\"instance_ports\":[{\"container_port\":22,\"protocol\":\"tcp\",\"endpoint_type\":\"tcp-endpoint\"}],"
             "\"volumes\":[{\"app_volume_dir\":\"/data1\",\"volume_type\":\"EBS\",\"size_gb\":10},{\"app_volume_dir\":\"/data2\","
             "\"volume_type\":\"EBS\",\"size_gb\":20}]}", world.registry);
    struct answer a = api("POST", body, "/v1/services/madams/");
    REQUIRE(a.status == 201, "%ld %s", a.status, a.raw.body);
    api_free(&a);
    if (!service_runs("madams", "seed", 2, 60))
        return;
    char *text = world_shell(NULL, "for c in $(docker ps -q --filter label=skylark.name=seed); do docker exec $c /bin/sh -c "
                             "'echo $POSTGRES_USER $PG_PORT $__DEFAULT_DOMAIN_NAME__; : >/data1/x && : >/data2/x && echo written'; done");
    CHECK(strcmp(text, "root 5432 seed-madams.skylark.localhost\nwritten\nroot 5432 seed-madams.skylark.localhost\nwritten") == 0, "%s", text);
    free(text);
    text = world_shell(NULL, "docker volume ls -q --filter label=skylark.service | wc -l");
    CHECK(atoi(text) == 4, "%s volumes", text);
    free(text);
    service_delete("seed");
    for (double end = 0; world_waiting(&end, 20);) {
        text = world_shell(NULL, "docker volume ls -q --filter label=skylark.service | wc -l");
        bool gone = atoi(text) == 0;
        free(text);
        if (gone)
            return;
    }
    CHECK(false, "volumes are left");
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
    char *text = world_shell(NULL, "docker ps --filter label=skylark.name=life --format '{{.Image}}' | wc -l; docker inspect --format "
                             "'{{range .Config.Env}}{{println .}}{{end}}' $(docker ps -q --filter label=skylark.name=life) | grep -c '^TAG=v2$'");
    CHECK(strcmp(text, "3\n3") == 0, "%s", text);
    free(text);
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
    free(world_shell(NULL, "sleep 3")); /* some passes later */
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
