/* What `make run` leaves: the demo service runs, and the engine says the same. */
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/e2e.h"

static void test_same_containers(void)
{
    struct json_object *list;
    if (!service_runs("demo", "demo", 2, 20))
        return;
    struct answer a = api_as(world.demo_token, "GET", NULL, "/v1/services/demo/");
    CHECK(strcmp(doc_text(a.json, "results[0].current_status"), "Running") == 0 &&
              doc_int(a.json, "results[0].started_num_instances") == 2, "%s", a.raw.body);
    CHECK(engine_containers("demo", "demo", false, &list) == 2, "containers");
    for (size_t i = 0; i < 2; i++) {
        struct json_object *container = json_object_array_get_idx(list, i), *labels = doc_at(container, "Labels"), *id = NULL;
        json_object_object_get_ex(labels, "skylark.instance", &id);
        const char *uuid = id != NULL ? json_object_get_string(id) : "no label";
        const char *one = doc_text(a.json, "results[0].instances[0].uuid"), *two = doc_text(a.json, "results[0].instances[1].uuid");
        CHECK(strcmp(uuid, one) == 0 || strcmp(uuid, two) == 0, "container of %s; the document has %s and %s", uuid, one, two);
        CHECK(uuid[14] == '1', "%s is not of version 1", uuid);
        struct answer one_instance = api_as(world.demo_token, "GET", NULL, "/v1/services/demo/demo/instances/%s/", uuid);
        CHECK(one_instance.status == 200 && strcmp(doc_text(one_instance.json, "container_id"), doc_text(container, "Id")) == 0,
              "%ld %s", one_instance.status, one_instance.raw.body);
        api_free(&one_instance);
        struct answer lines = api_as(world.demo_token, "GET", NULL, "/v1/services/demo/demo/instances/%s/logs/?limit=1", uuid);
        CHECK(lines.status == 200 && strncmp(doc_text(lines.json, "[0].message"), "line ", 5) == 0 &&
                  strncmp(doc_text(lines.json, "[0].instance_id"), uuid, 8) == 0, "%s", lines.raw.body);
        api_free(&lines);
    }
    json_object_put(list);
    struct answer all = api_as(world.demo_token, "GET", NULL, "/v1/services/demo/demo/instances");
    CHECK(all.status == 200 && doc_len(all.json, "") == 2, "%s", all.raw.body);
    api_free(&all);
    api_free(&a);
}

/* Limits and rights of a container. */
static void test_confined(void)
{
    struct engine_container c;
    struct json_object *all, *host;
    REQUIRE(engine_find("demo", -1, &c), "no demo runs");
    engine_call("GET", NULL, &all, "/containers/%s/json", c.id);
    host = doc_at(all, "HostConfig");
    CHECK(doc_at(host, "Privileged") != NULL && !json_object_get_boolean(doc_at(host, "Privileged")), "privileged");
    CHECK(doc_int(host, "Memory") == 268435456 && doc_int(host, "NanoCpus") == 250000000 && doc_int(host, "PidsLimit") > 0, "%s",
          json_object_to_json_string(host));
    CHECK(strstr(json_object_to_json_string(doc_at(host, "SecurityOpt")), "no-new-privileges") != NULL, "%s", json_object_to_json_string(host));
    CHECK(doc_text(host, "LogConfig.Config.max-size")[0] != '\0', "%s", json_object_to_json_string(host));
    json_object_put(all);
}

static void test_page(void)
{
    page_says(10, "https://demo-demo.skylark.localhost:8443/", "It runs");
    page_says(10, "https://demo.example.com:8443/", "It runs");
}

const struct check_test tests_demo[] = {
    {"the document and the engine show the same two", test_same_containers}, {"containers are confined", test_confined},
    {"its page opens by both names", test_page}, {0},
};
