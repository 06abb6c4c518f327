/* The seed's samples: each request as it stands there (but for the image, which must exist), each document
 * compared key by key and type by type. The tables below are the seed's own, written out by hand. */
#include <stdio.h>
#include <string.h>

#include "tests/http/suites.h"
#include "tests/lib/api.h"
#include "tests/lib/seed.h"
#include "tests/lib/world.h"

/* Types of the seed's documents. TEXT_JSON: a string that holds a JSON object. */
enum kind { TEXT, TEXT_JSON, NUMBER, BOOLEAN, ARRAY, NULL_ONLY, TIME, TIME_OR_NULL, UUID, OBJECT };

struct key {
    const char *name;
    enum kind kind;
};

static const struct key document_keys[] = {
    {"unique_name", UUID}, {"service_name", TEXT}, {"namespace", TEXT}, {"updated_at", TIME},
    {"allocation_group", NULL_ONLY}, {"target_state", TEXT}, {"instance_envvars", TEXT_JSON},
    {"started_at", TIME_OR_NULL}, {"uuid", UUID}, {"linked_to_apps", TEXT_JSON}, {"stopped_at", TIME_OR_NULL},
    {"is_deploying", BOOLEAN}, {"created_by", TEXT}, {"autoscaling_config", TEXT_JSON},
    {"instance_ports", ARRAY}, /* {} in the seed; an array always: the one deliberate deviation */
    {"linked_to", TEXT_JSON}, {"run_command", TEXT}, {"custom_domain_name", TEXT},
    {"deployment_preference", TEXT_JSON}, {"scaling_mode", TEXT}, {"image_name", TEXT}, {"image_tag", TEXT},
    {"instance_size", TEXT}, {"linked_from_apps", TEXT_JSON}, {"target_num_instances", NUMBER},
    {"last_autoscaled_at", TIME_OR_NULL}, {"current_num_instances", NUMBER}, {"linked_from", TEXT_JSON},
    {"staged_num_instances", NUMBER}, {"started_num_instances", NUMBER}, {"instances", ARRAY}, {"created_at", TIME},
    {"volumes", ARRAY}, {"default_domain_name", TEXT}, {"resource_uri", TEXT},
    /* Beyond the seed: */
    {"current_status", TEXT}, {"status_message", TEXT}, {"region", OBJECT},
    /* Read by clients of 2015 and 2016: */
    {"app_name", TEXT}, {"application", NULL_ONLY}, {"last_redeployed_at", TIME_OR_NULL}, {"linked_services", ARRAY},
    {"linked_to_services", ARRAY}, {"exec_endpoint", TEXT},
};
static const struct key instance_keys[] = {
    {"instance_name", TEXT}, {"started_at", TIME}, {"uuid", UUID}, {"instance_ports", ARRAY},
};
static const struct key volume_keys[] = {{"app_volume_dir", TEXT}, {"volume_type", TEXT}, {"size_gb", NUMBER}};
static const struct key port_keys[] = {
    {"container_port", NUMBER}, {"protocol", TEXT}, {"endpoint_type", TEXT}, {"service_port", NUMBER},
    {"default_domain", TEXT}, {"ipaddress", TEXT},
};
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static bool is_time(const char *text)
{
    static const char form[] = "0000-00-00T00:00:00.000Z";
    for (size_t i = 0; i < sizeof form; i++) {
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    }
    return true;
}

static bool is_uuid(const char *text)
{
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : text[i] == '\0' || strchr("0123456789abcdef", text[i]) == NULL)
            return false;
    }
    return text[36] == '\0';
}

static bool is_kind(struct json_object *value, enum kind kind)
{
    const char *text = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
    switch (kind) {
    case TEXT:
        return text != NULL;
    case TEXT_JSON: {
        struct json_object *inner = text != NULL ? json_tokener_parse(text) : NULL;
        bool object = json_object_is_type(inner, json_type_object);
        json_object_put(inner);
        return object;
    }
    case NUMBER:
        return json_object_is_type(value, json_type_int);
    case BOOLEAN:
        return json_object_is_type(value, json_type_boolean);
    case ARRAY:
        return json_object_is_type(value, json_type_array);
    case OBJECT:
        return json_object_is_type(value, json_type_object);
    case NULL_ONLY:
        return value == NULL;
    case TIME:
        return text != NULL && is_time(text);
    case TIME_OR_NULL:
        return value == NULL || (text != NULL && is_time(text));
    case UUID:
        return text != NULL && is_uuid(text);
    }
    return false;
}

/* Every key is there once, in its type, and no other. */
static void check_keys(struct json_object *object, const struct key *keys, size_t n, const char *what)
{
    REQUIRE(json_object_is_type(object, json_type_object), "%s is no object", what);
    for (size_t i = 0; i < n; i++) {
        struct json_object *value = NULL;
        bool there = json_object_object_get_ex(object, keys[i].name, &value);
        CHECK(there && is_kind(value, keys[i].kind), "%s: %s: %s", what, keys[i].name,
              there ? json_object_to_json_string(value) : "absent");
    }
    json_object_object_foreach(object, name, ignored)
    {
        (void)ignored;
        bool known = false;
        for (size_t i = 0; i < n; i++)
            known = known || strcmp(name, keys[i].name) == 0;
        CHECK(known, "%s: unexpected key %s", what, name);
    }
    CHECK((size_t)json_object_object_length(object) == n, "%s: %d keys", what, json_object_object_length(object));
}

static void check_document(struct json_object *json, const char *what)
{
    check_keys(json, document_keys, COUNT(document_keys), what);
    for (int64_t i = 0; i < doc_len(json, "instances"); i++)
        check_keys(json_object_array_get_idx(doc_at(json, "instances"), (size_t)i), instance_keys, COUNT(instance_keys), what);
    for (int64_t i = 0; i < doc_len(json, "volumes"); i++)
        check_keys(json_object_array_get_idx(doc_at(json, "volumes"), (size_t)i), volume_keys, COUNT(volume_keys), what);
    for (int64_t i = 0; i < doc_len(json, "instance_ports"); i++)
        check_keys(json_object_array_get_idx(doc_at(json, "instance_ports"), (size_t)i), port_keys, COUNT(port_keys), what);
    CHECK(strcmp(doc_text(json, "app_name"), doc_text(json, "service_name")) == 0, "%s: app_name is not service_name", what);
    CHECK(strcmp(doc_text(json, "uuid"), doc_text(json, "unique_name")) == 0, "%s: uuid is not unique_name", what);
    CHECK(doc_text(json, "uuid")[14] == '4', "%s: uuid is not of version 4: %s", what, doc_text(json, "uuid"));
    CHECK(doc_text(json, "region.name")[0] != '\0' && doc_text(json, "region.IaaS")[0] != '\0', "%s: region", what);
    CHECK(strcmp(doc_text(json, "deployment_preference"), "{}") == 0, "%s: deployment_preference", what);
}

static void test_create(void)
{
    char body[4096], location[256];
    snprintf(body, sizeof body, SEED_CREATE_FORMAT, world.registry);
    struct answer a = api("POST", body, "/v1/services/madams");
    CHECK(a.status == 201, "%ld %s", a.status, a.raw.body);
    check_document(a.json, "created");
    CHECK(http_header(&a.raw, "Location", location, sizeof location) == 1 && strcmp(location, "/v1/services/madams/test/") == 0,
          "Location: %s", location);
    CHECK(strcmp(doc_text(a.json, "resource_uri"), location) == 0, "%s", doc_text(a.json, "resource_uri"));
    static const char *const texts[][2] = {
        {"service_name", "test"}, {"namespace", "madams"}, {"image_tag", "latest"}, {"run_command", ""},
        {"instance_size", "XS"}, {"scaling_mode", "MANUAL"}, {"target_state", "STARTED"}, {"created_by", "madams"},
        {"custom_domain_name", "my-own-domain.cn"}, {"linked_to_apps", "{}"}, {"linked_to", "{}"},
        {"linked_from", "{}"}, {"linked_from_apps", "{}"}, {"instance_ports[0].endpoint_type", "tcp-endpoint"},
        {"instance_ports[1].endpoint_type", "direct-endpoint"}, {"volumes[0].app_volume_dir", "/data1"},
        {"volumes[1].app_volume_dir", "/data2"}, {"volumes[0].volume_type", "EBS"},
    };
    for (size_t i = 0; i < COUNT(texts); i++)
        CHECK(strcmp(doc_text(a.json, texts[i][0]), texts[i][1]) == 0, "%s: %s", texts[i][0], doc_text(a.json, texts[i][0]));
    CHECK(doc_int(a.json, "target_num_instances") == 2, "%s", a.raw.body);
    CHECK(doc_int(a.json, "volumes[1].size_gb") == 20, "%s", a.raw.body);
    CHECK(doc_int(a.json, "instance_ports[0].container_port") == 22, "%s", a.raw.body);
    CHECK(doc_len(a.json, "instance_ports") == 2, "%s", a.raw.body);
    struct json_object *env = json_tokener_parse(doc_text(a.json, "instance_envvars"));
    CHECK(strcmp(doc_text(env, "POSTGRES_PASSWORD"), "123456") == 0 && strcmp(doc_text(env, "FILENAME"), "scale_with_db") == 0,
          "instance_envvars: %s", doc_text(a.json, "instance_envvars"));
    CHECK(strcmp(doc_text(env, "__DEFAULT_DOMAIN_NAME__"), doc_text(a.json, "default_domain_name")) == 0,
          "__DEFAULT_DOMAIN_NAME__ in %s", doc_text(a.json, "instance_envvars"));
    CHECK(strncmp(doc_text(a.json, "default_domain_name"), "test-madams.", 12) == 0, "%s", doc_text(a.json, "default_domain_name"));
    json_object_put(env);
    struct json_object *scale = json_tokener_parse(doc_text(a.json, "autoscaling_config"));
    CHECK(strcmp(doc_text(scale, "metric_name"), "CPU_UTILIZATION") == 0 && doc_int(scale, "wait_period") == 30 &&
              doc_int(scale, "maximum_num_instances") == 6 && json_object_object_length(scale) == 9,
          "autoscaling_config: %s", doc_text(a.json, "autoscaling_config"));
    CHECK(json_object_get_double(doc_at(scale, "upper_threshold")) == 0.6, "%s", doc_text(a.json, "autoscaling_config"));
    json_object_put(scale);
    api_free(&a);
}

static void test_list(void)
{
    struct answer a = api("GET", NULL, "/v1/services/madams");
    CHECK(a.status == 200, "%ld %s", a.status, a.raw.body);
    CHECK(json_object_is_type(a.json, json_type_object) && json_object_object_length(a.json) == 4, "%.300s", a.raw.body);
    CHECK(doc_int(a.json, "count") == 1 && doc_len(a.json, "results") == 1, "%.300s", a.raw.body);
    struct json_object *end = NULL;
    CHECK(json_object_object_get_ex(a.json, "next", &end) && end == NULL, "next: %.300s", a.raw.body);
    CHECK(json_object_object_get_ex(a.json, "previous", &end) && end == NULL, "previous: %.300s", a.raw.body);
    check_document(doc_at(a.json, "results[0]"), "listed");
    api_free(&a);
}

static void test_retrieve(void)
{
    struct answer a = api("GET", NULL, "/v1/services/madams/test/");
    CHECK(a.status == 200, "%ld %s", a.status, a.raw.body);
    check_document(a.json, "retrieved");
    struct answer list = api("GET", NULL, "/v1/services/madams/");
    CHECK(strcmp(doc_text(list.json, "results[0].uuid"), doc_text(a.json, "uuid")) == 0, "%.300s", list.raw.body);
    api_free(&list);
    /* resource_uri resolves */
    struct answer again = api("GET", NULL, "%s", doc_text(a.json, "resource_uri"));
    CHECK(again.status == 200 && strcmp(doc_text(again.json, "uuid"), doc_text(a.json, "uuid")) == 0, "%s", again.raw.body);
    api_free(&again);
    api_free(&a);
}

static void test_update(void)
{
    static const char body[] = "{\n\"service_name\": \"test\",\n\"target_num_instances\": 3,\n\"image_tag\":\"latest\",\n"
                               "\"scaling_mode\": \"MANUAL\"\n}";
    struct answer before = api("GET", NULL, "/v1/services/madams/test/");
    struct answer a = api("PUT", body, "/v1/services/madams/test/");
    CHECK(a.status == 200, "%ld %s", a.status, a.raw.body);
    check_document(a.json, "updated");
    CHECK(doc_int(a.json, "target_num_instances") == 3, "%s", a.raw.body);
    static const char *const kept[] = {"uuid", "instance_envvars", "autoscaling_config", "custom_domain_name", "image_name",
                                       "created_at", "instance_size", "default_domain_name", "created_by", "run_command"};
    for (size_t i = 0; i < COUNT(kept); i++)
        CHECK(strcmp(doc_text(a.json, kept[i]), doc_text(before.json, kept[i])) == 0, "%s: %s", kept[i], doc_text(a.json, kept[i]));
    CHECK(json_object_equal(doc_at(a.json, "volumes"), doc_at(before.json, "volumes")), "volumes: %s", a.raw.body);
    CHECK(doc_len(a.json, "instance_ports") == 2, "instance_ports: %s", a.raw.body);
    CHECK(strcmp(doc_text(a.json, "updated_at"), doc_text(before.json, "updated_at")) > 0, "updated_at: %s", a.raw.body);
    api_free(&a);
    api_free(&before);
}

/* A client that writes back what it has read changes nothing: Skylark's own variable is in there, and is not taken for one
 * of the service's. */
static void test_write_back(void)
{
    struct answer before = api("GET", NULL, "/v1/services/madams/test/");
    char body[4096];
    snprintf(body, sizeof body, "{\"instance_envvars\": %s}", doc_text(before.json, "instance_envvars"));
    int64_t generation = world_sql_number("SELECT generation FROM skylark.services WHERE name = 'test' AND deleted_at IS NULL");
    struct answer a = api("PUT", body, "/v1/services/madams/test/");
    const char *after = doc_text(a.json, "instance_envvars"), *own = strstr(after, "__DEFAULT_DOMAIN_NAME__");
    CHECK(a.status == 200 && strcmp(after, doc_text(before.json, "instance_envvars")) == 0, "%ld %s", a.status, a.raw.body);
    CHECK(own != NULL && strstr(own + 1, "__DEFAULT_DOMAIN_NAME__") == NULL, "%s", after);
    CHECK(world_sql_number("SELECT generation FROM skylark.services WHERE name = 'test' AND deleted_at IS NULL") == generation,
          "instances are replaced for nothing");
    api_free(&a);
    api_free(&before);
}

static void test_stop_start(void)
{
    static const char *const rows[][2] = {{"stop", "STOPPED"}, {"stop/", "STOPPED"}, {"start", "STARTED"}, {"start/", "STARTED"},
                                          {"stop/", "STOPPED"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer a = api("PUT", NULL, "/v1/services/madams/test/%s", rows[i][0]);
        CHECK(a.status == 200 && strcmp(doc_text(a.json, "target_state"), rows[i][1]) == 0, "%s: %ld %s", rows[i][0],
              a.status, a.raw.body);
        check_document(a.json, rows[i][0]);
        api_free(&a);
    }
}

static void test_logs(void)
{
    struct answer a = api("GET", NULL, "/v1/services/madams/test/logs?start_time=1433753210&end_time=1433753270");
    CHECK(a.status == 200 && json_object_is_type(a.json, json_type_array), "%ld %s", a.status, a.raw.body);
    api_free(&a);
}

static void test_delete(void)
{
    struct answer a = api("DELETE", NULL, "/v1/services/madams/test");
    CHECK(a.status == 204 && a.raw.body_len == 0, "%ld %s", a.status, a.raw.body);
    api_free(&a);
    a = api("GET", NULL, "/v1/services/madams/test/");
    check_problem(&a, 404, "deleted");
    api_free(&a);
    a = api("GET", NULL, "/v1/services/madams/");
    CHECK(doc_int(a.json, "count") == 0 && doc_len(a.json, "results") == 0, "%s", a.raw.body);
    api_free(&a);
}

const struct check_test tests_seed[] = {
    {"create, verbatim", test_create}, {"list", test_list}, {"retrieve", test_retrieve}, {"update, verbatim", test_update},
    {"what is read is written back", test_write_back},
    {"stop and start", test_stop_start}, {"logs between two times", test_logs}, {"delete", test_delete}, {0},
};
