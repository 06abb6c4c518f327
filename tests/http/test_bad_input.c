/* Bad input, a row each: the status, the fields that are named; and in the end nothing was stored and the same
 * workers live. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/http/suites.h"
#include "tests/lib/api.h"
#include "tests/lib/world.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define BASE "\"service_name\":\"bad\",\"image_name\":\"localhost/none\""
#define SPACE "/v1/services/madams/"
#define DEEP 10000
#define TEN "a.example." /* ten letters */

static char workers[1024], rows_before[256];

static char *stored(void)
{
    return world_sql("SELECT (SELECT count(*) FROM skylark.services) || ' ' || (SELECT count(*) FROM skylark.events) || ' ' || "
                     "(SELECT count(*) FROM skylark.envvars) || ' ' || (SELECT count(*) FROM skylark.ports) || ' ' || "
                     "(SELECT count(*) FROM skylark.volumes) || ' ' || (SELECT md5(string_agg(s::text, '' ORDER BY id)) FROM skylark.services s)");
}

static char *worker_pids(void)
{
    int pids[128], n = world_children(world_pid("api"), pids, 128);
    char *text = calloc(1, 128 * 12);
    size_t len = 0;
    for (int i = 0; i < n && i < 128; i++)
        len += (size_t)sprintf(text + len, "%d ", pids[i]);
    return text;
}

static void test_before(void)
{
    CHECK(api_status("POST", "{\"service_name\":\"kept\",\"image_name\":\"localhost/none\",\"target_state\":\"STOPPED\"}", SPACE) == 201,
          "create");
    /* What earlier tests deleted goes once the engine has nothing of it any more. */
    for (double end = 0; world_sql_number("SELECT count(*) FROM skylark.services WHERE deleted_at IS NOT NULL") > 0 && world_waiting(&end, 60);)
        ;
    char *text = stored();
    snprintf(rows_before, sizeof rows_before, "%s", text);
    free(text);
    text = worker_pids();
    snprintf(workers, sizeof workers, "%s", text);
    free(text);
    CHECK(strlen(workers) > 8, "workers: %s", workers);
}

/* POST to the list and PUT to a service alike; "*" in front of fields: at least these; "-": the body as a whole. */
static const struct {
    const char *body;
    size_t len; /* 0: up to the NUL */
    const char *fields;
} bodies[] = {
    /* grammar */
    {"{", 0, "-"}, {"{\"service_name\":\"bad\"", 0, "*"}, {"{" BASE ",}", 0, "*"}, {"{" BASE "}}", 0, "*"}, {"{" BASE "} x", 0, "*"},
    {"{'service_name':'bad'}", 0, "*"}, {"{service_name:\"bad\"}", 0, "*"}, {"[]", 0, "-"}, {"null", 0, "-"}, {"1", 0, "-"}, {"\"x\"", 0, "-"},
    {"[" "{" BASE "}]", 0, "-"}, {" ", 0, "*"}, {"NaN", 0, "*"}, {"{" BASE ",\"target_num_instances\":NaN}", 0, "-"},
    {"{" BASE ",\"target_num_instances\":01}", 0, "*"}, {"{" BASE ",\"target_num_instances\":+1}", 0, "*"},
    {"{" BASE ",\"target_num_instances\":.5}", 0, "*"}, {"{" BASE ",\"target_num_instances\":0x10}", 0, "*"},
    {"{" BASE "/* comment */}", 0, "*"}, {"{" BASE ",\"run_command\":\"a\nb\"}", 0, "*"}, {"{" BASE ",\"run_command\":\"\\x41\"}", 0, "*"},
    {"{" BASE ",\"run_command\":tru}", 0, "*"}, {"\xef\xbb\xbf{" BASE "}", 0, "*"},
    /* duplicate keys */
    {"{" BASE ",\"image_tag\":\"a\",\"image_tag\":\"b\"}", 0, "image_tag"},
    {"{" BASE ",\"instance_envvars\":{\"A\":\"1\",\"A\":\"2\"}}", 0, "instance_envvars.A"},
    {"{" BASE ",\"instance_envvars\":{\"A\":\"1\",\"\\u0041\":\"2\"}}", 0, "instance_envvars.A"},
    {"{" BASE ",\"volumes\":[{\"app_volume_dir\":\"/d\",\"size_gb\":1,\"size_gb\":2}]}", 0, "volumes[0].size_gb"},
    {"{" BASE ",\"autoscaling_config\":\"{\\\"wait_period\\\":1,\\\"wait_period\\\":2}\"}", 0, "*autoscaling_config.wait_period"},
    {"{\"service_name\":\"bad\",\"app_name\":\"worse\",\"image_name\":\"localhost/none\"}", 0, "*app_name"},
    /* NUL, UTF-8, surrogates */
    {"{" BASE ",\"run_command\":\"a\0b\"}", sizeof("{" BASE ",\"run_command\":\"a\0b\"}") - 1, "*"},
    {"\0", 1, "*"}, {"{" BASE "}\0", sizeof("{" BASE "}\0") - 1, "*"},
    {"{" BASE ",\"run_command\":\"\\u0000\"}", 0, "run_command"}, {"{" BASE ",\"instance_envvars\":{\"A\":\"x\\u0000\"}}", 0, "instance_envvars.A"},
    {"{" BASE ",\"instance_envvars\":{\"A\\u0000B\":\"x\"}}", 0, "*"}, {"{" BASE ",\"run_command\":\"\xff\"}", 0, "*"},
    {"{" BASE ",\"run_command\":\"\xc0\xaf\"}", 0, "*"}, {"{" BASE ",\"run_command\":\"\xed\xa0\x80\"}", 0, "*"},
    {"{" BASE ",\"run_command\":\"\xf5\x80\x80\x80\"}", 0, "*"}, {"{" BASE ",\"run_command\":\"\xe2\x82\"}", 0, "*"},
    {"{" BASE ",\"run_command\":\"\\ud800\"}", 0, "run_command"}, {"{" BASE ",\"run_command\":\"\\udc00x\"}", 0, "run_command"},
    {"{" BASE ",\"run_command\":\"\\ud800\\u0041\"}", 0, "run_command"},
    /* huge numbers */
    {"{" BASE ",\"target_num_instances\":1e400}", 0, "target_num_instances"},
    {"{" BASE ",\"target_num_instances\":99999999999999999999}", 0, "target_num_instances"},
    {"{" BASE ",\"target_num_instances\":\"99999999999999999999\"}", 0, "target_num_instances"},
    {"{" BASE ",\"target_num_instances\":-9223372036854775809}", 0, "target_num_instances"},
    {"{" BASE ",\"target_num_instances\":\"1e400\"}", 0, "target_num_instances"},
    {"{" BASE ",\"target_num_instances\":4294967297}", 0, "target_num_instances"},
    {"{" BASE ",\"volumes\":[{\"app_volume_dir\":\"/d\",\"size_gb\":1e300}]}", 0, "volumes[0].size_gb"},
    /* ranges and types */
    {"{" BASE ",\"target_num_instances\":-1}", 0, "target_num_instances"}, {"{" BASE ",\"target_num_instances\":1001}", 0, "target_num_instances"},
    {"{" BASE ",\"target_num_instances\":1.5}", 0, "target_num_instances"}, {"{" BASE ",\"target_num_instances\":true}", 0, "target_num_instances"},
    {"{" BASE ",\"target_num_instances\":\"\"}", 0, "target_num_instances"}, {"{" BASE ",\"target_num_instances\":\" 1\"}", 0, "target_num_instances"},
    {"{" BASE ",\"target_num_instances\":\"1x\"}", 0, "target_num_instances"}, {"{" BASE ",\"target_num_instances\":\"NaN\"}", 0, "target_num_instances"},
    {"{" BASE ",\"target_num_instances\":[1]}", 0, "target_num_instances"}, {"{" BASE ",\"target_num_instances\":{}}", 0, "target_num_instances"},
    {"{" BASE ",\"instance_size\":\"XXL\"}", 0, "instance_size"}, {"{" BASE ",\"instance_size\":\"xs\"}", 0, "instance_size"},
    {"{" BASE ",\"instance_size\":1}", 0, "instance_size"}, {"{" BASE ",\"scaling_mode\":\"auto\"}", 0, "scaling_mode"},
    {"{" BASE ",\"scaling_mode\":\"AUTO\"}", 0, "autoscaling_config"}, {"{" BASE ",\"target_state\":\"RUNNING\"}", 0, "target_state"},
    {"{" BASE ",\"run_command\":1}", 0, "run_command"}, {"{" BASE ",\"run_command\":\"echo 'open\"}", 0, "run_command"},
    {"{" BASE ",\"custom_domain_name\":\"not a host\"}", 0, "custom_domain_name"}, {"{" BASE ",\"custom_domain_name\":\"a..b\"}", 0, "custom_domain_name"},
    {"{" BASE ",\"custom_domain_name\":\"a;b\"}", 0, "custom_domain_name"}, {"{" BASE ",\"image_tag\":\"a b\"}", 0, "image_tag"},
    {"{" BASE ",\"custom_domain_name\":\"*.example.com\"}", 0, "custom_domain_name"},
    {"{" BASE ",\"custom_domain_name\":\"include\"}", 0, "custom_domain_name"}, {"{" BASE ",\"custom_domain_name\":\"a.example.com,default\"}", 0, "custom_domain_name"},
    {"{" BASE ",\"custom_domain_name\":\"a.example.com\\n\"}", 0, "custom_domain_name"},
    {"{" BASE ",\"custom_domain_name\":\"a.example.com\\nlisten 81;\"}", 0, "custom_domain_name"},
    {"{" BASE ",\"custom_domain_name\":\"" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
     TEN TEN TEN TEN "com\"}", 0, "custom_domain_name"},
    {"{" BASE ",\"custom_domain_name\":\"b\xc3\xbc" "cher.example\"}", 0, "custom_domain_name"},
    {"{" BASE ",\"custom_domain_name\":\"localhost\"}", 0, "custom_domain_name"},
    {"{" BASE ",\"custom_domain_name\":\"skylark.localhost\"}", 0, "custom_domain_name"},
    {"{" BASE ",\"custom_domain_name\":\"kept-madams.skylark.localhost\"}", 0, "custom_domain_name"},
    {"{" BASE ",\"custom_domain_name\":\"127.0.0.1\"}", 0, "custom_domain_name"}, {"{" BASE ",\"custom_domain_name\":\"[::1]\"}", 0, "custom_domain_name"},
    {"{" BASE ",\"custom_domain_name\":\"good.example.com,bad_\"}", 0, "custom_domain_name"},
    {"{" BASE ",\"custom_domain_name\":\"a.example.com,,b.example.com\"}", 0, "custom_domain_name"},
    {"{" BASE ",\"custom_domain_name\":\"a.example.com,A.example.com\"}", 0, "custom_domain_name"},
    {"{" BASE ",\"custom_domain_name\":[\"a.example.com\"]}", 0, "custom_domain_name"},
    {"{" BASE ",\"image_tag\":\"\"}", 0, "image_tag"}, {"{" BASE ",\"image_tag\":\"../x\"}", 0, "image_tag"},
    {"{\"service_name\":\"bad\",\"image_name\":\"UPPER\"}", 0, "image_name"}, {"{\"service_name\":\"bad\",\"image_name\":\"a:b\"}", 0, "image_name"},
    {"{\"service_name\":\"bad\",\"image_name\":\"../a\"}", 0, "image_name"}, {"{\"service_name\":\"bad\",\"image_name\":\"\"}", 0, "image_name"},
    {"{" BASE ",\"unknown\":1}", 0, "unknown"}, {"{" BASE ",\"uuid\":\"x\"}", 0, "uuid"}, {"{" BASE ",\"Image_Tag\":\"x\"}", 0, "Image_Tag"},
    {"{" BASE ",\"namespace\":\"other\"}", 0, "namespace"}, {"{" BASE ",\"namespace\":1}", 0, "namespace"},
    {"{" BASE ",\"region_name\":1}", 0, "region_name"},
    {"{" BASE ",\"volumes\":[{\"app_volume_dir\":\"/d\",\"size_gb\":1,\"backup_id\":\"b\"}]}", 0, "volumes[0].backup_id"},
    {"{" BASE ",\"instance_envvars\":[1]}", 0, "instance_envvars"}, {"{" BASE ",\"instance_envvars\":{\"A\":{}}}", 0, "instance_envvars.A"},
    {"{" BASE ",\"instance_envvars\":{\"1A\":\"x\"}}", 0, "instance_envvars.1A"}, {"{" BASE ",\"instance_envvars\":{\"A=B\":\"x\"}}", 0, "instance_envvars.A=B"},
    {"{" BASE ",\"instance_envvars\":\"nonsense\"}", 0, "*"}, {"{" BASE ",\"instance_envvars\":\"[1]\"}", 0, "instance_envvars"},
    {"{" BASE ",\"instance_ports\":[1]}", 0, "instance_ports[0]"}, {"{" BASE ",\"instance_ports\":[{}]}", 0, "instance_ports[0].container_port"},
    {"{" BASE ",\"instance_ports\":[{\"container_port\":0}]}", 0, "instance_ports[0].container_port"},
    {"{" BASE ",\"instance_ports\":[{\"container_port\":65536}]}", 0, "instance_ports[0].container_port"},
    {"{" BASE ",\"instance_ports\":[{\"container_port\":80,\"protocol\":\"sctp\"}]}", 0, "instance_ports[0].protocol"},
    {"{" BASE ",\"instance_ports\":[{\"container_port\":80,\"endpoint_type\":\"x\"}]}", 0, "instance_ports[0].endpoint_type"},
    {"{" BASE ",\"instance_ports\":[{\"container_port\":80},{\"container_port\":\"80\"}]}", 0, "instance_ports[1]"},
    {"{" BASE ",\"instance_ports\":[{\"container_port\":80,\"endpoint_type\":\"internal-endpoint\"},{\"container_port\":0},"
     "{\"container_port\":80,\"endpoint_type\":\"internal-endpoint\"}]}", 0, "instance_ports[1].container_port instance_ports[2]"},
    {"{" BASE ",\"instance_ports\":[{\"container_port\":80,\"protocol\":\"udp\",\"endpoint_type\":\"http-endpoint\"}]}", 0, "instance_ports[0].protocol"},
    {"{" BASE ",\"instance_ports\":[{\"container_port\":80,\"more\":1}]}", 0, "instance_ports[0].more"}, {"{" BASE ",\"instance_ports\":\"x\"}", 0, "instance_ports"},
    {"{" BASE ",\"volumes\":[{\"app_volume_dir\":\"data\",\"size_gb\":1}]}", 0, "volumes[0].app_volume_dir"},
    {"{" BASE ",\"volumes\":[{\"app_volume_dir\":\"/a/../b\",\"size_gb\":1}]}", 0, "volumes[0].app_volume_dir"},
    {"{" BASE ",\"volumes\":[{\"app_volume_dir\":\"/proc/x\",\"size_gb\":1}]}", 0, "volumes[0].app_volume_dir"},
    {"{" BASE ",\"volumes\":[{\"app_volume_dir\":\"/\",\"size_gb\":1}]}", 0, "volumes[0].app_volume_dir"},
    {"{" BASE ",\"volumes\":[{\"app_volume_dir\":\"/proc\",\"size_gb\":1}]}", 0, "volumes[0].app_volume_dir"},
    {"{" BASE ",\"volumes\":[{\"app_volume_dir\":\"/a\",\"size_gb\":1,\"volume_type\":\"GOLD\"}]}", 0, "volumes[0].volume_type"},
    {"{" BASE ",\"volumes\":[{\"app_volume_dir\":\"/a:ro\",\"size_gb\":1}]}", 0, "volumes[0].app_volume_dir"},
    {"{" BASE ",\"volumes\":[{\"app_volume_dir\":\"/a\",\"size_gb\":0}]}", 0, "volumes[0].size_gb"}, {"{" BASE ",\"volumes\":[{}]}", 0, "volumes[0].app_volume_dir volumes[0].size_gb"},
    {"{" BASE ",\"volumes\":[{\"app_volume_dir\":\"/a\",\"size_gb\":1},{\"app_volume_dir\":\"/a\",\"size_gb\":2}]}", 0, "volumes[1]"},
    {"{" BASE ",\"linked_to_apps\":{\"missing\":\"db\"}}", 0, "linked_to_apps.missing"}, {"{" BASE ",\"linked_to_apps\":{\"kept\":[]}}", 0, "linked_to_apps.kept"},
    {"{" BASE ",\"autoscaling_config\":{\"metric_name\":\"LOAD\",\"upper_threshold\":\"x\",\"lower_threshold\":-1,\"minimum_num_instances\":1}}", 0,
     "*autoscaling_config.metric_name autoscaling_config.upper_threshold autoscaling_config.lower_threshold autoscaling_config.maximum_num_instances"},
    {"{" BASE ",\"autoscaling_config\":{\"metric_name\":\"CPU_UTILIZATION\",\"upper_threshold\":0.1,\"lower_threshold\":0.6,"
     "\"minimum_num_instances\":5,\"maximum_num_instances\":2,\"wait_period\":0}}", 0,
     "autoscaling_config.lower_threshold autoscaling_config.minimum_num_instances autoscaling_config.wait_period"},
    {"{" BASE ",\"autoscaling_config\":{\"metric_name\":\"CPU_UTILIZATION\",\"upper_threshold\":60,\"lower_threshold\":0.6,"
     "\"minimum_num_instances\":1,\"maximum_num_instances\":2}}", 0, "autoscaling_config.upper_threshold"},
    {"{" BASE ",\"autoscaling_config\":[{}]}", 0, "autoscaling_config"}, {"{" BASE ",\"autoscaling_config\":\"x\"}", 0, "*"},
    /* every fault at once */
    {"{" BASE ",\"image_tag\":\"\",\"instance_size\":\"?\",\"target_num_instances\":-1,\"volumes\":[{\"size_gb\":0}],\"nope\":1}", 0,
     "image_tag instance_size target_num_instances volumes[0].app_volume_dir volumes[0].size_gb nope"},
};

static void test_bodies(void)
{
    for (size_t i = 0; i < COUNT(bodies); i++) {
        char what[256];
        snprintf(what, sizeof what, "body %zu: %.200s", i, bodies[i].body);
        struct answer a = api_call(&(struct http_call){.method = "POST", .path = SPACE, .token = world.token,
                                                       .body = bodies[i].body, .body_len = bodies[i].len});
        check_problem(&a, 400, what);
        CHECK(doc_names(a.json, bodies[i].fields), "%s: not \"%s\": %s", what, bodies[i].fields, a.raw.body);
        api_free(&a);
    }
}

static void test_bodies_of_put(void)
{
    for (size_t i = 0; i < COUNT(bodies); i++) {
        char what[256];
        snprintf(what, sizeof what, "PUT of body %zu: %.200s", i, bodies[i].body);
        struct answer a = api_call(&(struct http_call){.method = "PUT", .path = SPACE "kept/", .token = world.token,
                                                       .body = bodies[i].body, .body_len = bodies[i].len});
        check_problem(&a, 400, what);
        api_free(&a);
    }
    struct answer a = api("PUT", "{\"service_name\":\"renamed\"}", SPACE "kept/");
    check_problem(&a, 400, "another name");
    CHECK(doc_names(a.json, "service_name"), "%s", a.raw.body);
    api_free(&a);
    a = api("PUT", "{\"linked_to_apps\":{\"kept\":\"me\"}}", SPACE "kept/");
    check_problem(&a, 400, "a link to itself");
    api_free(&a);
}

/* Links that would close a circle, over any number of services; nothing of such a request is kept. */
static void test_link_circle(void)
{
    static const char *const names[] = {"ring-a", "ring-b", "ring-c"};
    static const char *const links[] = {"{}", "{\"ring-a\":\"a\"}", "{\"ring-b\":\"b\"}"};
    char body[256];
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(body, sizeof body, "{\"service_name\":\"%s\",\"image_name\":\"localhost/none\",\"target_state\":\"STOPPED\","
                 "\"linked_to_apps\":%s}", names[i], links[i]);
        CHECK(api_status("POST", body, SPACE) == 201, "%s", body);
    }
    struct answer a = api("PUT", "{\"linked_to_apps\":{\"ring-c\":\"c\"},\"image_tag\":\"changed\"}", SPACE "ring-a/");
    check_problem(&a, 400, "a circle of three");
    CHECK(doc_names(a.json, "linked_to_apps.ring-c"), "%s", a.raw.body);
    api_free(&a);
    a = api("GET", NULL, SPACE "ring-a/");
    CHECK(strcmp(doc_text(a.json, "linked_to_apps"), "{}") == 0 && strcmp(doc_text(a.json, "image_tag"), "latest") == 0, "%s", a.raw.body);
    api_free(&a);
    CHECK(api_status("PUT", "{\"linked_to_apps\":{\"ring-a\":\"a\",\"ring-b\":\"b\"}}", SPACE "ring-c/") == 200, "two ways to one are no circle");
    for (size_t i = COUNT(names); i-- > 0;)
        CHECK(api_status("DELETE", NULL, SPACE "%s/", names[i]) == 204, "%s", names[i]);
}

static void test_names(void)
{
    static const char *const names[] = {"", "-a", "a-", "A", "a_b", "a.b", "a b", "a/b", "\xc3\xa4", "..", "%2e",
                                        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a;b", "a\\u0027b"};
    for (size_t i = 0; i < COUNT(names); i++) {
        char body[256];
        snprintf(body, sizeof body, "{\"service_name\":\"%s\",\"image_name\":\"localhost/none\"}", names[i]);
        struct answer a = api("POST", body, SPACE);
        check_problem(&a, 400, body);
        CHECK(doc_names(a.json, "service_name"), "%s: %s", body, a.raw.body);
        api_free(&a);
    }
    struct answer a = api("POST", "", SPACE);
    check_problem(&a, 400, "no body");
    CHECK(doc_names(a.json, "service_name image_name"), "no body: %s", a.raw.body);
    api_free(&a);
}

static void post_big(char *body, size_t len, long status, const char *what)
{
    struct answer a = api_call(&(struct http_call){.method = "POST", .path = SPACE, .token = world.token, .body = body, .body_len = len});
    check_problem(&a, status, what);
    api_free(&a);
}

/* 10,000 deep, and a body over the limit. */
static void test_deep_and_large(void)
{
    size_t size = 3 << 20;
    char *body = malloc(size);
    static const char head[] = "{" BASE ",\"instance_envvars\":";
    memset(body, '[', DEEP);
    memset(body + DEEP, ']', DEEP);
    post_big(body, 2 * DEEP, 400, "arrays, 10,000 deep");
    post_big(body, DEEP, 400, "arrays, 10,000 deep, left open");
    memcpy(body, head, sizeof head - 1);
    size_t n = sizeof head - 1;
    for (int i = 0; i < DEEP; i++, n += 5)
        memcpy(body + n, "{\"a\":", 5);
    body[n++] = '1';
    memset(body + n, '}', DEEP + 1);
    post_big(body, n + DEEP + 1, 400, "objects, 10,000 deep");
    /* Deep in a text that holds JSON. */
    n = (size_t)snprintf(body, size, "{" BASE ",\"autoscaling_config\":\"");
    memset(body + n, '[', DEEP);
    n += DEEP;
    n += (size_t)snprintf(body + n, size - n, "\"}");
    post_big(body, n, 400, "a text that holds arrays, 10,000 deep");
    memset(body, ' ', size);
    post_big(body, (1 << 20) + 1, 413, "one byte over the limit");
    post_big(body, size, 413, "3 MiB");
    post_big(body, 1 << 20, 400, "a MiB of blanks");
    /* Right below the limit, and with more faults than a person wants to read. */
    n = (size_t)snprintf(body, size, "{" BASE ",\"instance_envvars\":{");
    for (int i = 0; i < 20000; i++)
        n += (size_t)snprintf(body + n, size - n, "%s\"%d bad\":%d", i > 0 ? "," : "", i, i);
    n += (size_t)snprintf(body + n, size - n, "}}");
    post_big(body, n, 400, "20,000 faults");
    n = (size_t)snprintf(body, size, "{" BASE ",\"run_command\":\"");
    memset(body + n, 'x', 8193);
    memcpy(body + n + 8193, "\"}", 2);
    post_big(body, n + 8195, 400, "a command of 8193 bytes");
    free(body);
}

/* Paths that try to be something else. */
static void test_paths(void)
{
    static const struct {
        const char *path;
        long status; /* 0: 400 or 404 */
    } rows[] = {
        {"/v1/services/other/../madams/", 0}, {"/v1/services/madams/../madams/kept/", 0}, {"/v1/services/madams/%2e%2e/", 0},
        {"/v1/services/madams/%2E%2e/kept/", 0}, {"/v1/services/madams/./kept/", 0}, {"/v1/services/madams/%2e/kept", 0},
        {"/v1/services/madams%2fkept", 404}, {"/v1/services/madams%2Fkept/", 404}, {"/v1%2fservices%2fmadams/", 404},
        {"/v1/services/madams/kept%2flogs/", 404}, {"/v1/services//", 404}, {"//", 404},
        {"/v1/services/madams/%00", 0}, {"/v1/services/madams/kept%00", 0},
        {"/v1/services/madams/%ff/", 0}, {"/v1/services/madams/%c0%af/", 0}, {"/v1/services/madams/%zz/", 0},
        {"/v1/services/madams/%", 0}, {"/v1/services/madams/%2", 0}, {"/v1/services/MADAMS/", 404}, {"/v1/services/madams/KEPT/", 404},
        {"/v1/services/madams;x/", 404}, {"/v1/services/madams/kept;x", 404}, {"/v1/services/madams/kept%20", 404},
        {"/V1/services/madams/", 404}, {"/v1/services/madams/'%20OR%201=1--/", 404}, {"/v1/services/madams\\kept", 404},
        {"/v1/services/%2e%2e/%2e%2e/etc/passwd", 0}, {"/../../etc/passwd", 0}, {"/v1/services/madams/kept/..", 0},
        {"/v1/services/madams/kept/%252e%252e/", 404},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        static const char *const methods[] = {"GET", "DELETE"};
        for (size_t m = 0; m < COUNT(methods); m++) {
            struct answer a = api_call(&(struct http_call){.method = methods[m], .path = rows[i].path, .token = world.token});
            bool right = rows[i].status != 0 ? a.status == rows[i].status || (m == 1 && a.status == 405)
                                             : a.status == 400 || a.status == 404 || (m == 1 && a.status == 405);
            CHECK(right, "%s %s: %ld %.200s", methods[m], rows[i].path, a.status, a.raw.body);
            check_problem(&a, a.status, rows[i].path);
            api_free(&a);
        }
    }
    static const size_t lengths[] = {2048, 4096, 8192, 12000, 15000};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        char *path = malloc(lengths[i] + 1);
        memset(path, 'a', lengths[i]);
        memcpy(path, SPACE, sizeof SPACE - 1);
        path[lengths[i]] = '\0';
        struct answer a = api_call(&(struct http_call){.path = path, .token = world.token});
        CHECK(a.status == 404 || a.status == 414 || a.status == 400, "a path of %zu: %ld %.200s", lengths[i], a.status, a.raw.body);
        check_problem(&a, a.status, "a long path");
        api_free(&a);
        free(path);
    }
}

static void test_after(void)
{
    char *text = stored();
    CHECK(strcmp(text, rows_before) == 0, "stored before: %s; now: %s", rows_before, text);
    free(text);
    text = worker_pids();
    CHECK(strcmp(text, workers) == 0, "workers before: %s; now: %s", workers, text);
    free(text);
    api_status("DELETE", NULL, SPACE "bad/"); /* none, or it stands in the way of what follows */
    CHECK(api_status("DELETE", NULL, SPACE "kept/") == 204, "delete");
}

const struct check_test tests_bad_input[] = {
    {"links in a circle", test_link_circle}, {"(what is stored before)", test_before}, {"bodies of POST", test_bodies}, {"bodies of PUT", test_bodies_of_put},
    {"names", test_names}, {"deep and large", test_deep_and_large}, {"paths", test_paths},
    {"nothing stored, the same workers", test_after}, {0},
};
