/* What requests may look like: numbers as texts, objects as texts that hold them, aliases, defaults. */
#include <stdio.h>
#include <string.h>

#include "tests/http/suites.h"
#include "tests/lib/api.h"
#include "tests/lib/world.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define BASE "\"image_name\":\"localhost/none\",\"target_state\":\"STOPPED\""
#define CONFIG_TEXT                                                                                                        \
    "\"{\\\"metric_name\\\":\\\"MEMORY_UTILIZATION\\\",\\\"upper_threshold\\\":\\\"0.9\\\",\\\"lower_threshold\\\":0.2,"   \
    "\\\"minimum_num_instances\\\":1,\\\"maximum_num_instances\\\":\\\"4\\\"}\""

/* Each row: a body that is taken, and what the document then shows at a place (text or number). */
static const struct {
    const char *body, *place, *value;
} rows[] = {
    {"{\"service_name\":\"form\"," BASE "}", "image_tag", "latest"},
    {"{\"service_name\":\"form\"," BASE "}", "instance_size", "XS"},
    {"{\"service_name\":\"form\"," BASE "}", "scaling_mode", "MANUAL"},
    {"{\"service_name\":\"form\"," BASE "}", "target_num_instances", "1"},
    {"{\"service_name\":\"form\"," BASE "}", "instance_envvars", "{}"},
    {"{\"service_name\":\"form\"," BASE "}", "autoscaling_config", "{}"},
    {"{\"service_name\":\"form\"," BASE "}", "custom_domain_name", ""},
    {"{\"app_name\":\"form\"," BASE "}", "service_name", "form"},
    {"{\"app_name\":\"form\",\"service_name\":\"form\"," BASE "}", "service_name", "form"},
    {"{\"service_name\":\"form\"," BASE ",\"target_num_instances\":\"3\"}", "target_num_instances", "3"},
    {"{\"service_name\":\"form\"," BASE ",\"target_num_instances\":3.0}", "target_num_instances", "3"},
    {"{\"service_name\":\"form\"," BASE ",\"target_num_instances\":3e0}", "target_num_instances", "3"},
    {"{\"service_name\":\"form\"," BASE ",\"namespace\":\"madams\"}", "namespace", "madams"},
    {"{\"service_name\":\"form\"," BASE ",\"region_name\":\"local\"}", "region.name", "local"},
    {"{\"service_name\":\"form\"," BASE ",\"region_name\":\"BEIJING1\"}", "region.name", "local"},
    {"{\"service_name\":\"form\"," BASE ",\"application\":null,\"current_state\":\"Running\",\"linked_from_apps\":{\"a\":\"b\"}}",
     "service_name", "form"},
    {"{\"service_name\":\"form\"," BASE ",\"application\":\"shop\",\"current_state\":{},\"linked_from_apps\":\"{}\"}", "linked_from_apps", "{}"},
    {"{\"service_name\":\"form\"," BASE ",\"volumes\":[{\"app_volume_dir\":\"/data\",\"size_gb\":5,\"backup_id\":null}]}",
     "volumes[0].size_gb", "5"},
    {"{\"service_name\":\"form\"," BASE ",\"instance_ports\":{}}", "target_state", "STOPPED"},
    {"{\"service_name\":\"form\"," BASE ",\"instance_ports\":[{\"container_port\":\"80\"}]}",
     "instance_ports[0].endpoint_type", "tcp-endpoint"},
    {"{\"service_name\":\"form\"," BASE ",\"instance_ports\":[{\"container_port\":\"80\"}]}",
     "instance_ports[0].container_port", "80"},
    {"{\"service_name\":\"form\"," BASE ",\"instance_ports\":[{\"container_port\":80}]}", "instance_ports[0].protocol", "tcp"},
    {"{\"service_name\":\"form\"," BASE ",\"volumes\":[{\"app_volume_dir\":\"/data\",\"size_gb\":\"5\"}]}",
     "volumes[0].size_gb", "5"},
    {"{\"service_name\":\"form\"," BASE ",\"instance_envvars\":\"{\\\"A\\\":\\\"b\\\"}\"}", "instance_envvars",
     "{\"A\": \"b\"}"},
    {"{\"service_name\":\"form\"," BASE ",\"instance_envvars\":{\"A\":\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"}}",
     "instance_envvars", "{\"A\": \"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"}"},
    {"{\"service_name\":\"form\"," BASE ",\"instance_envvars\":{\"A\":\"\\ud83d\\ude00\"}}", "instance_envvars",
     "{\"A\": \"\xf0\x9f\x98\x80\"}"},
    {"{\"service_name\":\"form\"," BASE ",\"instance_envvars\":[],\"autoscaling_config\":[]}", "instance_envvars", "{}"},
    {"{\"service_name\":\"form\"," BASE ",\"instance_envvars\":{\"A\":123456789012345678901234567890}}", "instance_envvars",
     "{\"A\": \"123456789012345678901234567890\"}"},
    {"{\"service_name\":\"form\"," BASE ",\"instance_envvars\":{\"A\":-0}}", "instance_envvars", "{\"A\": \"-0\"}"},
    {"{\"service_name\":\"form\"," BASE ",\"instance_envvars\":{\"A\":1.10}}", "instance_envvars", "{\"A\": \"1.10\"}"},
    {"{\"service_name\":\"form\"," BASE ",\"instance_envvars\":{\"A\":1E400}}", "instance_envvars", "{\"A\": \"1E400\"}"},
    {"{\"service_name\":\"form\"," BASE ",\"instance_envvars\":\"{\\\"A\\\":18446744073709551616}\"}", "instance_envvars",
     "{\"A\": \"18446744073709551616\"}"},
    {"{\"service_name\":\"form\"," BASE ",\"instance_envvars\":{\"A\":null}}", "instance_envvars", "{\"A\": \"\"}"},
    {"{\"service_name\":\"form\"," BASE ",\"custom_domain_name\":\"WWW.Example.COM\"}", "custom_domain_name", "www.example.com"},
    {"{\"service_name\":\"form\"," BASE ",\"run_command\":\"sh -c 'echo \\\"a b\\\"'\"}", "run_command", "sh -c 'echo \"a b\"'"},
    {"{\"service_name\":\"form\"," BASE ",\"run_command\":null,\"volumes\":null}", "run_command", ""},
};

static void test_taken(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer a = api("POST", rows[i].body, "/v1/services/madams/");
        CHECK(a.status == 201, "%s: %ld %s", rows[i].body, a.status, a.raw.body);
        struct json_object *value = doc_at(a.json, rows[i].place);
        CHECK(value != NULL && strcmp(json_object_get_string(value), rows[i].value) == 0, "%s: %s is %s", rows[i].body,
              rows[i].place, value != NULL ? json_object_get_string(value) : "absent");
        api_free(&a);
        CHECK(api_status("DELETE", NULL, "/v1/services/madams/form/") == 204, "delete");
    }
}

static void test_autoscaling_as_text(void)
{
    struct answer a = api("POST", "{\"service_name\":\"form\"," BASE ",\"scaling_mode\":\"AUTO\",\"autoscaling_config\":" CONFIG_TEXT "}",
                          "/v1/services/madams/");
    CHECK(a.status == 201, "%ld %s", a.status, a.raw.body);
    const char *text = doc_text(a.json, "autoscaling_config");
    struct json_object *config = json_tokener_parse(text);
    CHECK(strcmp(doc_text(config, "metric_stat"), "MEAN") == 0 && doc_int(config, "maximum_num_instances") == 4 &&
              doc_int(config, "wait_period") == 60 && json_object_get_double(doc_at(config, "upper_threshold")) == 0.9,
          "%s", text);
    json_object_put(config);
    /* What the document shows is taken back as it is. */
    struct json_object *echo = json_object_new_object();
    static const char *const keys[] = {"autoscaling_config", "instance_envvars", "linked_to_apps", "custom_domain_name",
                                       "run_command", "volumes", "image_name", "image_tag", "service_name", "namespace",
                                       "target_state", "scaling_mode", "instance_size", "target_num_instances"};
    for (size_t i = 0; i < COUNT(keys); i++)
        json_object_object_add(echo, keys[i], json_object_get(doc_at(a.json, keys[i])));
    struct answer b = api("PUT", json_object_to_json_string(echo), "/v1/services/madams/form/");
    CHECK(b.status == 200, "%ld %s", b.status, b.raw.body);
    CHECK(strcmp(doc_text(b.json, "autoscaling_config"), text) == 0, "%s", doc_text(b.json, "autoscaling_config"));
    json_object_put(echo);
    api_free(&a);
    api_free(&b);
    CHECK(api_status("DELETE", NULL, "/v1/services/madams/form/") == 204, "delete");
}

static void test_types(void)
{
    static const struct {
        const char *type;
        long status;
    } types[] = {
        {"application/json", 400}, {"application/json; charset=utf-8", 400}, {"APPLICATION/JSON", 400}, {"", 400},
        {"text/plain", 415}, {"application/x-www-form-urlencoded", 415}, {"multipart/form-data; boundary=x", 415},
        {"application/jsonx", 415}, {"application/problem+json", 415}, {"nonsense", 415}, {"application/xml", 415},
    };
    for (size_t i = 0; i < COUNT(types); i++) {
        struct answer a = api_call(&(struct http_call){.method = "POST", .path = "/v1/services/madams/", .token = world.token,
                                                       .type = types[i].type, .body = "{}"});
        check_problem(&a, types[i].status, types[i].type);
        api_free(&a);
    }
}

/* A body may come in chunks, and over HTTP/2. */
static void test_http2(void)
{
    struct answer a = api_call(&(struct http_call){.path = "/v1/services/madams/", .token = world.token, .http2 = true});
    CHECK(a.status == 200 && strncmp(a.raw.headers, "HTTP/2 200", 10) == 0, "%ld %.40s", a.status, a.raw.headers);
    api_free(&a);
    a = api_call(&(struct http_call){.method = "POST", .path = "/v1/services/madams/", .token = world.token, .http2 = true,
                                     .body = "{\"service_name\":\"form\"," BASE "}"});
    CHECK(a.status == 201, "%ld %s", a.status, a.raw.body);
    api_free(&a);
    a = api_call(&(struct http_call){.method = "PUT", .path = "/v1/services/madams/form/", .token = world.token,
                                     .headers = {"Transfer-Encoding: chunked"}, .body = "{\"target_num_instances\":2}"});
    CHECK(a.status == 200 && doc_int(a.json, "target_num_instances") == 2, "chunked: %ld %s", a.status, a.raw.body);
    api_free(&a);
    CHECK(api_status("DELETE", NULL, "/v1/services/madams/form/") == 204, "delete");
}

const struct check_test tests_forms[] = {
    {"forgiving in form", test_taken}, {"autoscaling_config as text, and back", test_autoscaling_as_text},
    {"content types", test_types}, {"HTTP/2 and chunks", test_http2}, {0},
};
