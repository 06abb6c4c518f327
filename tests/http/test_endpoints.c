/* What a service is reached by and what it keeps, as the API stores it: ports, domain names, volumes, links. What comes of it
 * is seen by the end-to-end tests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/http/suites.h"
#include "tests/lib/api.h"
#include "tests/lib/world.h"

#define SPACE "/v1/services/madams/"

/* Creates a stopped service; more begins with a comma. */
static long create(const char *token, const char *space, const char *name, const char *more)
{
    char body[2048];
    snprintf(body, sizeof body, "{\"service_name\":\"%s\",\"image_name\":\"localhost/none\",\"target_state\":\"STOPPED\"%s}", name, more);
    struct answer a = api_as(token, "POST", body, "/v1/services/%s/", space);
    long status = a.status;
    api_free(&a);
    return status;
}

/* Deletes it, and waits until the deployer has taken its row as well. */
static void delete(const char *token, const char *space, const char *name)
{
    struct answer a = api_as(token, "DELETE", NULL, "/v1/services/%s/%s/", space, name);
    CHECK(a.status == 204, "delete %s: %ld %s", name, a.status, a.raw.body);
    api_free(&a);
}

static void settings(const char *words)
{
    int status;
    free(world_shell(&status, "\"$B/skylarkctl\" -c '%s/etc/ctl.conf' %s", world.var, words));
    CHECK(status == 0, "skylarkctl %s: %d", words, status);
}

/* --- public ports --- */

#define FOUR_PORTS                                                                                                     \
    ",\"instance_ports\":[{\"container_port\":22,\"endpoint_type\":\"tcp-endpoint\"},"                                 \
    "{\"container_port\":22,\"endpoint_type\":\"direct-endpoint\"},"                                                   \
    "{\"container_port\":53,\"protocol\":\"udp\",\"endpoint_type\":\"tcp-endpoint\"},"                                 \
    "{\"container_port\":80,\"endpoint_type\":\"http-endpoint\"},{\"container_port\":81,\"endpoint_type\":\"http-endpoint\"},"  \
    "{\"container_port\":90,\"endpoint_type\":\"internal-endpoint\"}]"

static void test_ports(void)
{
    CHECK(create(world.token, "madams", "ports", FOUR_PORTS) == 201, "create");
    struct answer a = api("GET", NULL, SPACE "ports/");
    int64_t port = doc_int(a.json, "instance_ports[0].service_port"), udp = doc_int(a.json, "instance_ports[2].service_port");
    CHECK(port >= 20000 && port <= 29999 && udp >= 20000 && udp <= 29999, "%s", a.raw.body);
    /* Numbers and texts always: old clients poll until service_port is there, and read what they get. */
    static const struct {
        const char *port, *domain, *address;
    } others[] = {
        [1] = {"0", "ports-madams.skylark.localhost", "\"\""}, /* a direct-endpoint whose instance does not run yet */
        [3] = {"80", "ports-madams.skylark.localhost", "\"127.0.0.1\""},
        [4] = {"80", "81.ports-madams.skylark.localhost", "\"127.0.0.1\""},
        [5] = {"90", "ports", "\"\""}, /* an internal-endpoint: linked instances resolve the service's name */
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (others[i].port == NULL)
            continue;
        struct json_object *port_entry = json_object_array_get_idx(doc_at(a.json, "instance_ports"), i);
        CHECK(strcmp(json_object_to_json_string(doc_at(port_entry, "service_port")), others[i].port) == 0 &&
                  strcmp(doc_text(port_entry, "default_domain"), others[i].domain) == 0 &&
                  strcmp(json_object_to_json_string(doc_at(port_entry, "ipaddress")), others[i].address) == 0,
              "port %zu: %s", i, json_object_to_json_string(port_entry));
    }
    CHECK(strcmp(doc_text(a.json, "instance_ports[0].ipaddress"), "127.0.0.1") == 0, "%s", a.raw.body);
    CHECK(strcmp(doc_text(a.json, "instance_ports[3].default_domain"), "ports-madams.skylark.localhost") == 0 &&
              strcmp(doc_text(a.json, "instance_ports[4].default_domain"), "81.ports-madams.skylark.localhost") == 0, "%s", a.raw.body);
    api_free(&a);
    /* The port stays through changes of all else, and of the list around it; so does the entries' order. */
    a = api("PUT", "{\"image_tag\":\"2\",\"instance_ports\":[{\"container_port\":80,\"endpoint_type\":\"http-endpoint\"},"
                   "{\"container_port\":22,\"endpoint_type\":\"tcp-endpoint\"}]}", SPACE "ports/");
    CHECK(a.status == 200 && doc_len(a.json, "instance_ports") == 2 && doc_int(a.json, "instance_ports[0].service_port") == port, "was %ld: %s", (long)port, a.raw.body);
    api_free(&a);
    delete(world.token, "madams", "ports");
}

/* All or nothing, and a conflict with what is there. */
static void test_range_exhausted(void)
{
    settings("settings set service_ports=21000-21001");
    CHECK(create(world.token, "madams", "first", ",\"instance_ports\":[{\"container_port\":1}]") == 201, "one of two");
    int64_t rows = world_sql_number("SELECT count(*) FROM skylark.ports");
    char *before = world_sql("SELECT count(*) FROM skylark.services");
    struct answer a = api("POST", "{\"service_name\":\"greedy\",\"image_name\":\"localhost/none\",\"target_state\":\"STOPPED\","
                                  "\"custom_domain_name\":\"greedy.example.com\",\"instance_envvars\":{\"A\":\"1\"},"
                                  "\"instance_ports\":[{\"container_port\":1},{\"container_port\":2}]}", SPACE);
    check_problem(&a, 409, "two of one");
    CHECK(strstr(doc_text(a.json, "detail"), "all public tcp ports from 21000 to 21001 are reserved") != NULL, "%s", a.raw.body);
    api_free(&a);
    a = api("PUT", "{\"image_tag\":\"changed\",\"instance_ports\":[{\"container_port\":1},{\"container_port\":2},{\"container_port\":3}]}",
            SPACE "first/");
    check_problem(&a, 409, "three of two");
    api_free(&a);
    char *after = world_sql("SELECT count(*) FROM skylark.services");
    CHECK(world_sql_number("SELECT count(*) FROM skylark.ports") == rows && strcmp(before, after) == 0, "half of it stayed");
    CHECK(world_sql_number("SELECT count(*) FROM skylark.custom_domains WHERE name = 'greedy.example.com'") == 0, "its domain is held");
    a = api("GET", NULL, SPACE "first/");
    CHECK(strcmp(doc_text(a.json, "image_tag"), "latest") == 0 && doc_len(a.json, "instance_ports") == 1, "%s", a.raw.body);
    api_free(&a);
    free(before);
    free(after);
    delete(world.token, "madams", "first");
    settings("settings set service_ports=20000-29999");
}

/* --- domain names --- */

static void test_domains(void)
{
    CHECK(create(world.token, "madams", "shop", ",\"custom_domain_name\":\"Shop.Example.com, www.shop.example.com\"") == 201, "create");
    struct answer a = api("GET", NULL, SPACE "shop/");
    CHECK(strcmp(doc_text(a.json, "custom_domain_name"), "shop.example.com,www.shop.example.com") == 0, "%s", a.raw.body);
    api_free(&a);
    /* Unique over all tenants; every one that is taken is named. */
    a = api_as(world.other_token, "POST", "{\"service_name\":\"thief\",\"image_name\":\"localhost/none\",\"target_state\":\"STOPPED\","
               "\"custom_domain_name\":\"www.shop.example.com,free.example.com,SHOP.example.com\"}", "/v1/services/other/");
    check_problem(&a, 409, "another tenant's domains");
    CHECK(strstr(doc_text(a.json, "detail"), "shop.example.com, www.shop.example.com") != NULL &&
              strstr(doc_text(a.json, "detail"), "free") == NULL, "%s", a.raw.body);
    api_free(&a);
    /* Released by an update, and taken over. */
    CHECK(api_status("PUT", "{\"custom_domain_name\":\"www.shop.example.com\"}", SPACE "shop/") == 200, "release one");
    CHECK(create(world.other_token, "other", "thief", ",\"custom_domain_name\":\"shop.example.com\"") == 201, "take it over");
    a = api("PUT", "{\"custom_domain_name\":\"shop.example.com\",\"image_tag\":\"changed\"}", SPACE "shop/");
    check_problem(&a, 409, "taken meanwhile");
    api_free(&a);
    a = api("GET", NULL, SPACE "shop/");
    CHECK(strcmp(doc_text(a.json, "custom_domain_name"), "www.shop.example.com") == 0 && strcmp(doc_text(a.json, "image_tag"), "latest") == 0,
          "%s", a.raw.body);
    api_free(&a);
    /* Released by a delete, at once. */
    delete(world.other_token, "other", "thief");
    CHECK(api_status("PUT", "{\"custom_domain_name\":\"shop.example.com,www.shop.example.com\"}", SPACE "shop/") == 200, "take it back");
    /* Not asked for: not changed. Empty: none. */
    a = api("PUT", "{\"image_tag\":\"2\"}", SPACE "shop/");
    CHECK(strcmp(doc_text(a.json, "custom_domain_name"), "shop.example.com,www.shop.example.com") == 0, "%s", a.raw.body);
    api_free(&a);
    a = api("PUT", "{\"custom_domain_name\":\"\"}", SPACE "shop/");
    CHECK(a.status == 200 && strcmp(doc_text(a.json, "custom_domain_name"), "") == 0, "%s", a.raw.body);
    api_free(&a);
    delete(world.token, "madams", "shop");
}

static void test_own_host_name(void)
{
    /* However the operator's host is called, the name that this very request came by is not a tenant's. */
    struct answer a = api_call(&(struct http_call){
        .method = "POST", .base = "https://api.example.com:8443", .by_name = true, .path = SPACE, .token = world.token,
        .body = "{\"service_name\":\"own\",\"image_name\":\"localhost/none\",\"custom_domain_name\":\"api.example.com\"}"});
    CHECK(a.status == 0, "the certificate is not of this name: %ld", a.status);
    api_free(&a);
    a = api_call(&(struct http_call){
        .method = "POST", .path = SPACE, .token = world.token, .headers = {"Host: api.example.com:8443"},
        .body = "{\"service_name\":\"own\",\"image_name\":\"localhost/none\",\"custom_domain_name\":\"api.example.com\"}"});
    check_problem(&a, 400, "the API's own host name");
    CHECK(doc_names(a.json, "custom_domain_name"), "%s", a.raw.body);
    api_free(&a);
}

/* --- volumes --- */

static void test_volumes(void)
{
    settings("volume-type set FAST local type=tmpfs device=tmpfs 'o=size={size_gb}m'");
    CHECK(create(world.token, "madams", "keeper", ",\"volumes\":[{\"app_volume_dir\":\"/a\",\"size_gb\":1},"
                                                  "{\"app_volume_dir\":\"/b\",\"volume_type\":\"FAST\",\"size_gb\":2}]") == 201, "create");
    /* None of them is on the engine yet, so all of it can be changed; tests/e2e/test_volumes.c has what can't be later. */
    struct answer a = api("PUT", "{\"volumes\":[{\"app_volume_dir\":\"/a\",\"volume_type\":\"FAST\",\"size_gb\":1},"
                                 "{\"app_volume_dir\":\"/b\",\"volume_type\":\"FAST\",\"size_gb\":3}]}", SPACE "keeper/");
    CHECK(a.status == 200 && strcmp(doc_text(a.json, "volumes[0].volume_type"), "FAST") == 0 &&
              doc_int(a.json, "volumes[1].size_gb") == 3, "%s", a.raw.body);
    api_free(&a);
    a = api("PUT", "{\"volumes\":[{\"app_volume_dir\":\"/a\",\"volume_type\":\"NONE\",\"size_gb\":1}]}", SPACE "keeper/");
    check_problem(&a, 400, "a type that is not there");
    CHECK(doc_names(a.json, "volumes[0].volume_type"), "%s", a.raw.body);
    api_free(&a);
    a = api("PUT", "{\"volumes\":[{\"app_volume_dir\":\"/b\",\"volume_type\":\"FAST\",\"size_gb\":3},{\"app_volume_dir\":\"/a\",\"size_gb\":5}]}",
            SPACE "keeper/");
    CHECK(a.status == 200 && doc_len(a.json, "volumes") == 2, "another order: %s", a.raw.body);
    api_free(&a);
    int status;
    free(world_shell(&status, "\"$B/skylarkctl\" -c '%s/etc/ctl.conf' volume-type remove FAST 2>/dev/null", world.var));
    CHECK(status != 0, "a type that is in use was removed");
    delete(world.token, "madams", "keeper");
    for (double end = 0; world_sql_number("SELECT count(*) FROM skylark.volumes WHERE volume_type = 'FAST'") > 0 && world_waiting(&end, 20);)
        ;
    settings("volume-type remove FAST");
}

/* --- links --- */

static void test_links(void)
{
    CHECK(create(world.token, "madams", "base", ",\"instance_ports\":[{\"container_port\":5432,\"endpoint_type\":\"internal-endpoint\"}]") == 201,
          "base");
    CHECK(create(world.token, "madams", "user-a", ",\"linked_to_apps\":{\"base\":\"db\"}") == 201, "a");
    CHECK(create(world.token, "madams", "user-b", ",\"linked_to_apps\":{\"base\":\"store\"}") == 201, "b");
    struct answer a = api("GET", NULL, SPACE "base/");
    CHECK(strstr(doc_text(a.json, "linked_from_apps"), "\"user-a\": \"db\"") != NULL &&
              strstr(doc_text(a.json, "linked_from_apps"), "\"user-b\": \"store\"") != NULL, "%s", a.raw.body);
    api_free(&a);
    a = api("DELETE", NULL, SPACE "base/");
    check_problem(&a, 409, "others link to it");
    CHECK(strstr(doc_text(a.json, "detail"), "user-a, user-b") != NULL, "%s", a.raw.body);
    api_free(&a);
    static const char *const strange[] = {"base", "madams/base"};
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        char body[256], place[64];
        snprintf(body, sizeof body, "{\"service_name\":\"spy\",\"image_name\":\"localhost/none\",\"target_state\":\"STOPPED\","
                 "\"linked_to_apps\":{\"%s\":\"db\"}}", strange[i]);
        snprintf(place, sizeof place, "linked_to_apps.%s", strange[i]);
        a = api_as(world.other_token, "POST", body, "/v1/services/other/");
        check_problem(&a, 400, "a link into another namespace");
        CHECK(doc_names(a.json, place), "%s", a.raw.body);
        api_free(&a);
    }
    /* Two aliases that are one in the environment. */
    CHECK(create(world.token, "madams", "base-b", "") == 201, "a second one to link to");
    a = api("PUT", "{\"linked_to_apps\":{\"base\":\"the-db\",\"base-b\":\"The_DB\"}}", SPACE "user-a/");
    check_problem(&a, 400, "aliases that clash");
    CHECK(doc_names(a.json, "linked_to_apps.base-b"), "%s", a.raw.body);
    api_free(&a);
    delete(world.token, "madams", "base-b");
    /* Who links knows the ports: when they change, so do its instances. */
    int64_t before = world_sql_number("SELECT generation FROM skylark.services WHERE name = 'user-a' AND deleted_at IS NULL");
    CHECK(api_status("PUT", "{\"instance_ports\":[{\"container_port\":5433,\"endpoint_type\":\"internal-endpoint\"}]}", SPACE "base/") == 200,
          "other ports");
    CHECK(world_sql_number("SELECT generation FROM skylark.services WHERE name = 'user-a' AND deleted_at IS NULL") > before,
          "who links keeps its old environment");
    CHECK(api_status("PUT", "{\"linked_to_apps\":{}}", SPACE "user-a/") == 200, "unlink");
    delete(world.token, "madams", "user-a");
    delete(world.token, "madams", "user-b");
    delete(world.token, "madams", "base");
}

const struct check_test tests_endpoints[] = {
    {"ports of every type", test_ports},
    {"no public port is left", test_range_exhausted},
    {"custom domains: unique, released, taken over", test_domains},
    {"the operator's own host name", test_own_host_name},
    {"volumes", test_volumes},
    {"links", test_links},
    {0},
};
