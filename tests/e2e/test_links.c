/* Links, and the networks of namespaces: who reaches whom. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/e2e.h"

static void test_link(void)
{
    if (!service_create_of("team/web:v1", "base", 2,
                           ",\"instance_ports\":[{\"container_port\":22,\"endpoint_type\":\"internal-endpoint\"},"
                           "{\"container_port\":80,\"endpoint_type\":\"internal-endpoint\"},"
                           "{\"container_port\":22,\"protocol\":\"udp\",\"endpoint_type\":\"internal-endpoint\"}]") ||
        !service_create("linker", "v1", 1, ",\"linked_to_apps\":{\"base\":\"the-store\"},\"instance_envvars\":{\"THE_STORE_PORT_80_TCP_PROTO\":\"mine\"}"))
        return;
    service_runs("madams", "base", 2, 60);
    service_runs("madams", "linker", 1, 60);
    static const char *const variables[] = {
        "THE_STORE_PORT=tcp://the-store:22", "THE_STORE_PORT_22_TCP=tcp://the-store:22", "THE_STORE_PORT_22_TCP_ADDR=the-store",
        "THE_STORE_PORT_22_TCP_PORT=22", "THE_STORE_PORT_22_TCP_PROTO=tcp", "THE_STORE_PORT_22_UDP_PROTO=udp",
        "THE_STORE_PORT_80_TCP=tcp://the-store:80",
        "THE_STORE_PORT_80_TCP_PROTO=mine", /* the user's own goes before */
    };
    struct engine_container c;
    REQUIRE(engine_find("linker", -1, &c), "no linker runs");
    char *env = engine_exec(c.id, NULL, TEXTS("env"));
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        CHECK(strstr(env, variables[i]) != NULL, "no %s in %s", variables[i], env);
    free(env);
    /* By alias and by service name, to all instances. */
    reach_are(20, "linker", "the-store", 22, TEXTS("tcp base-0 v1 x", "tcp base-1 v1 x"));
    reach_says(0, "linker", "base", 22, "tcp base-");
    /* An instance's own name is no other service's. */
    if (service_create_of("team/web:v1", "base-1", 1, ",\"instance_ports\":[{\"container_port\":22,\"endpoint_type\":\"direct-endpoint\"}]") &&
        service_runs("madams", "base-1", 1, 60)) {
        reach_are(0, "linker", "base-1", 22, TEXTS("tcp base-1-0 v1 x"));
        reach_are(0, "linker", "base.0", 22, TEXTS("tcp base-0 v1 x"));
    }
    service_delete("base-1");
    struct answer a = api("GET", NULL, "/v1/services/madams/base/");
    CHECK(strcmp(doc_text(a.json, "linked_from_apps"), "{\"linker\": \"the-store\"}") == 0, "%s", doc_text(a.json, "linked_from_apps"));
    api_free(&a);
    CHECK(api_status("DELETE", NULL, "/v1/services/madams/base/") == 409, "a service that others link to was deleted");
}

static void test_internal(void)
{
    struct answer a = api("GET", NULL, "/v1/services/madams/base/instances/");
    CHECK(strcmp(doc_text(a.json, "[0].instance_ports[0].endpoint_type"), "internal-endpoint") == 0 &&
              doc_text(a.json, "[0].instance_ports[0].ipaddress")[0] == '\0', "it has an address for all: %s", a.raw.body);
    api_free(&a);
    struct json_object *all;
    int n = engine_containers("madams", "base", false, &all);
    CHECK(n == 2 && strstr(json_object_to_json_string(all), "PublicPort") == NULL, "%s",
          json_object_to_json_string(all));
    json_object_put(all);
    page_answers(0, (struct http_call){.base = "https://base-madams.skylark.localhost:8443/"}, 404, NULL, NULL);
}

/* How many networks there are but the namespace's. */
static void networks_apart(int n)
{
    double end = 0;
    int found;
    do {
        struct json_object *all;
        found = 0;
        for (int i = engine_networks("skylark.namespace=madams", &all) - 1; i >= 0; i--)
            found += strstr(json_object_to_json_string(doc_at(json_object_array_get_idx(all, (size_t)i), "Labels")), "\"skylark.member.") != NULL;
        json_object_put(all);
    } while (found != n && world_waiting(&end, 60));
    CHECK(found == n, "%d networks apart, not %d", found, n);
}

/* A neighbour in the namespace that does not link to it knows its names and addresses, and tries. */
static void test_apart(void)
{
    if (!service_create_of("team/web:v1", "neighbour", 1, ",\"instance_ports\":[{\"container_port\":22,\"endpoint_type\":\"direct-endpoint\"}]") ||
        !service_runs("madams", "neighbour", 1, 60))
        return;
    reached(0, "neighbour", "base", 0);
    reached(0, "linker", "base", 4);
    reached(0, "linker", "neighbour", 3);
    networks_apart(2);
    /* One that is apart itself, and links to one that is and to one that is not. */
    if (!service_create_of("team/web:v1", "inner", 1,
                           ",\"instance_ports\":[{\"container_port\":22,\"endpoint_type\":\"internal-endpoint\"}],"
                           "\"linked_to_apps\":{\"base\":\"one\",\"neighbour\":\"two\"}") ||
        !service_runs("madams", "inner", 1, 60))
        return;
    networks_apart(5);
    reach_says(0, "inner", "one", 22, "tcp base-");
    reach_says(0, "inner", "two", 22, "tcp neighbour-");
    reach_says(0, "inner", "neighbour.0", 22, "tcp neighbour-0 v1 x");
    reached(0, "linker", "inner", 0);
    /* One more network changes nothing about how the node reaches it. */
    struct answer a = api("GET", NULL, "/v1/services/madams/neighbour/instances/");
    tcp_says(0, "127.0.0.1", (int)doc_int(a.json, "[0].instance_ports[0].service_port"), "tcp neighbour-0 v1 ping");
    api_free(&a);
    reached(0, "neighbour", "base", 0);
}

/* Takes instance 0 of the one service out of all networks in which the other's first instance is. */
static void disconnect(const char *service, const char *other)
{
    struct engine_container c, from;
    struct json_object *one = NULL;
    int out = 0;
    char body[200];
    REQUIRE(engine_find(service, 0, &c) && engine_find(other, -1, &from), "they do not run");
    engine_call("GET", NULL, &one, "/containers/%s/json", from.id);
    struct json_object *networks = doc_at(one, "NetworkSettings.Networks");
    snprintf(body, sizeof body, "{\"Container\":\"%s\",\"Force\":false}", c.id);
    if (json_object_is_type(networks, json_type_object)) {
        json_object_object_foreach(networks, name, unused) {
            (void)unused;
            out += engine_call("POST", body, NULL, "/networks/%s/disconnect", name) == 200;
        }
    }
    CHECK(out > 0, "%s.0 is in no network of %s", service, other);
    json_object_put(one);
}

/* New instances of both ends are in, whoever was there first. */
static void test_apart_again(void)
{
    char old[80];
    struct engine_container c;
    CHECK(engine_kill_one("base", 0, old), "not killed");
    for (double end = 0; (!engine_find("base", 0, &c) || strcmp(c.id, old) == 0) && world_waiting(&end, 40);)
        ;
    CHECK(c.id[0] != '\0' && strcmp(c.id, old) != 0, "base.0 is not replaced");
    reach_says(20, "linker", "base.0", 22, "tcp base-0 v1 x");
    reach_says(20, "inner", "base.0", 22, "tcp base-0 v1 x");
    CHECK(api_status("PUT", "{\"target_num_instances\":2}", "/v1/services/madams/neighbour/") == 200, "not scaled");
    service_runs("madams", "neighbour", 2, 60);
    reach_says(20, "inner", "neighbour.1", 22, "tcp neighbour-1 v1 x");
    /* Taken out by hand, it is put back when its service is looked at. */
    disconnect("base", "linker");
    reach_says(0, "linker", "base.0", 22, "no a");
    CHECK(api_status("PUT", "{\"target_num_instances\":3}", "/v1/services/madams/base/") == 200, "not scaled");
    reach_says(20, "linker", "base.0", 22, "tcp base-0 v1 x");
    reach_says(20, "linker", "base.2", 22, "tcp base-2 v1 x");
    /* A link is there as long as an instance that was made with it, whatever the other end is through with. */
    CHECK(api_status("PUT", "{\"linked_to_apps\":{\"neighbour\":\"two\"},\"image_tag\":\"no-such-tag\"}", "/v1/services/madams/inner/") == 200,
          "not unlinked");
    service_says("inner", "Error", "can't be pulled", 60);
    CHECK(api_status("PUT", "{\"target_num_instances\":2}", "/v1/services/madams/base/") == 200, "not scaled");
    service_runs("madams", "base", 2, 60);
    reach_says(0, "inner", "one", 22, "tcp base-");
    networks_apart(5);
    /* Without the link: nothing. And what is not needed any more goes. */
    CHECK(api_status("PUT", "{\"image_tag\":\"v1\"}", "/v1/services/madams/inner/") == 200, "not updated");
    networks_apart(4);
    reach_says(20, "inner", "two", 22, "tcp neighbour-");
    reached(0, "inner", "base", 0);
    service_delete("inner");
    networks_apart(2);
}

/* The lowest or highest generation that runs. */
static int generation(const char *service, bool highest)
{
    struct json_object *all;
    int found = 0;
    for (int i = engine_containers("madams", service, false, &all) - 1; i >= 0; i--) {
        struct json_object *value = NULL;
        json_object_object_get_ex(doc_at(json_object_array_get_idx(all, (size_t)i), "Labels"), "skylark.generation", &value);
        int one = value != NULL ? atoi(json_object_get_string(value)) : 0;
        if (found == 0 || (highest ? one > found : one < found))
            found = one;
    }
    json_object_put(all);
    return found;
}

/* Both instances of base answer under that name, among others that do not. */
static void answering(const char *from, const char *host)
{
    bool seen[2] = {false, false};
    for (double end = 0; !(seen[0] && seen[1]) && world_waiting(&end, 20);) {
        char *said = reach_once(from, host, 22);
        seen[0] = seen[0] || strstr(said, "tcp base-0 v1 x") != NULL;
        seen[1] = seen[1] || strstr(said, "tcp base-1 v1 x") != NULL;
        free(said);
    }
    CHECK(seen[0] && seen[1], "base.0 %s, base.1 %s", seen[0] ? "answers" : "is silent", seen[1] ? "answers" : "is silent");
}

/* An internal-endpoint is given up and taken up again under linked services that run on. */
static void test_apart_turned(void)
{
    /* Its new instances answer nobody: names lead to the old ones as well. */
    char body[512];
    snprintf(body, sizeof body, "{\"instance_ports\":[{\"container_port\":22,\"endpoint_type\":\"direct-endpoint\"}],"
             "\"image_name\":\"%s/team/work\"}", world.registry);
    CHECK(api_status("PUT", body, "/v1/services/madams/base/") == 200, "ports not changed");
    service_says("base", "Deploying", "does not answer on port 22", 40);
    answering("linker", "the-store");
    snprintf(body, sizeof body, "{\"image_name\":\"%s/team/web\"}", world.registry);
    CHECK(api_status("PUT", body, "/v1/services/madams/base/") == 200, "image not changed");
    networks_apart(0);
    reached(40, "neighbour", "base", 3);
    reach_says(40, "linker", "the-store", 22, "tcp base-");
    service_runs("madams", "base", 2, 60);
    int before = generation("base", true);
    CHECK(api_status("PUT", "{\"instance_ports\":[{\"container_port\":22,\"endpoint_type\":\"internal-endpoint\"}]}", "/v1/services/madams/base/") == 200,
          "ports not changed");
    /* At no moment of the way is there nobody who answers. (A name leads to one that has just ended for an instant.) */
    int silent = 0, asked = 0;
    bool done = false;
    for (double end = 0; !done && world_waiting(&end, 60); asked++) {
        bool heard = false;
        for (int try = 0; try < 4 && !heard; try++) {
            char *said = reach_once("linker", "the-store", 22);
            heard = strstr(said, "tcp base-") != NULL;
            free(said);
            if (!heard)
                world_nap();
        }
        silent += !heard;
        done = generation("base", false) > before;
    }
    CHECK(done && silent == 0, "of %d questions %d had no answer", asked, silent);
    reached(20, "neighbour", "base", 0);
    reached(20, "linker", "base", 4);
}

/* The name of an interface is taken by one that is no bridge, or free again. */
static void link_taken(const char *name, bool taken)
{
    int status;
    char *said = taken ? world_shell(&status, "ip link add %s type veth peer name skypeer 2>&1", name) : world_shell(&status, "ip link del %s 2>&1", name);
    CHECK(status == 0, "%s: %s", name, said);
    free(said);
}

/* Removes a network from under the instances in it. */
static void network_away(const char *name)
{
    struct json_object *one = NULL;
    char body[200];
    engine_call("GET", NULL, &one, "/networks/%s", name);
    struct json_object *in = doc_at(one, "Containers");
    if (json_object_is_type(in, json_type_object)) {
        json_object_object_foreach(in, id, unused) {
            (void)unused;
            snprintf(body, sizeof body, "{\"Container\":\"%s\",\"Force\":false}", id);
            engine_call("POST", body, NULL, "/networks/%s/disconnect", name);
        }
    }
    json_object_put(one);
    engine_call("DELETE", NULL, NULL, "/networks/%s", name);
}

/* What the engine refuses is said, nothing is left of it, and it is tried again. The name of the link's network is taken: by an
 * interface that is no bridge. */
static void test_apart_refused(void)
{
    if (!service_create("late", "v1", 1, "") || !service_runs("madams", "late", 1, 60))
        return;
    char *name = world_sql("SELECT 'sky' || left(md5(concat_ws('/', g.id, a.id, b.id)), 12) FROM skylark.installation g, "
                           "skylark.services a, skylark.services b WHERE (a.name, b.name) = ('late', 'base')");
    link_taken(name, true);
    CHECK(api_status("PUT", "{\"linked_to_apps\":{\"base\":\"the-store\"}}", "/v1/services/madams/late/") == 200, "not linked");
    service_says("late", "Error", "could not be made: ", 60);
    service_says("late", "Error", "1 instance of the previous version keeps running", 60);
    int left = 0;
    for (double end = 0; (left = engine_containers("madams", "late", true, NULL)) != 1 && world_waiting(&end, 20);)
        ;
    CHECK(left == 1, "%d containers", left);
    /* Whom a link leads to starts without it. */
    CHECK(engine_kill_one("base", 0, NULL), "not killed");
    service_says("base", "Error", "can't be put into the network of the link from late to base", 40);
    reach_says(20, "linker", "base.0", 22, "tcp base-0 v1 x");
    link_taken(name, false);
    service_says("late", "Running", "", 90);
    service_runs("madams", "base", 2, 60);
    reached(20, "late", "base", 4);
    /* The same under one that runs. The deployer makes the network again as soon as it looks: whoever is first has the name. */
    int status = -1;
    for (double end = 0; status != 0 && world_waiting(&end, 40);) {
        network_away(name);
        free(world_shell(&status, "ip link add %s type veth peer name skypeer 2>/dev/null", name));
    }
    REQUIRE(status == 0, "the name is never free");
    free(world_sql("WITH woken AS (UPDATE skylark.reconcile_queue q SET wakes = q.wakes + 1, due_at = now() FROM skylark.services s "
                   "WHERE s.id = q.service_id AND s.name = 'late' RETURNING s.id) SELECT pg_notify('skylark_services', id::text) FROM woken"));
    service_says("late", "Error", "can't be put into the network of the link from late to base", 40);
    link_taken(name, false);
    service_says("late", "Running", "", 60);
    reach_says(20, "late", "the-store", 22, "tcp base-");
    free(name);
    service_delete("late");
}

/* Another tenant knows the addresses, and tries. */
static void test_isolation(void)
{
    char body[512];
    snprintf(body, sizeof body, "{\"service_name\":\"spy\",\"image_name\":\"%s/team/work\",\"image_tag\":\"v1\",\"instance_size\":\"XXS\"}", world.registry);
    struct answer a = api_as(world.other_token, "POST", body, "/v1/services/other/");
    REQUIRE(a.status == 201, "%ld %s", a.status, a.raw.body);
    api_free(&a);
    struct engine_container c;
    for (double end = 0; !engine_find("spy", -1, &c) && world_waiting(&end, 40);)
        ;
    CHECK(c.id[0] != '\0', "spy does not run");
    reached(0, "linker", "base", 4);
    reached(0, "spy", "base", 0);
    reached(0, "spy", "neighbour", 0);
    a = api_as(world.other_token, "DELETE", NULL, "/v1/services/other/spy/");
    CHECK(a.status == 204, "%ld", a.status);
    api_free(&a);
    int left = -1;
    for (double end = 0; left != 0 && world_waiting(&end, 40);)
        left = engine_containers("other", "spy", true, NULL);
    /* With its last service, the namespace's network goes. */
    networks_are(10, "skylark.namespace=other", 0);
}

static void test_unlink(void)
{
    service_delete("linker");
    service_delete("base");
    service_delete("neighbour");
    networks_are(10, "skylark.namespace=madams", 0);
}

const struct check_test tests_links[] = {
    {"link: environment and names", test_link}, {"link: an internal-endpoint", test_internal},
    {"link: an internal-endpoint is for linked services only", test_apart},
    {"link: new instances on either side of an internal-endpoint", test_apart_again},
    {"link: an internal-endpoint that comes and goes", test_apart_turned},
    {"link: a network that the engine refuses", test_apart_refused},
    {"link: namespaces can't reach each other", test_isolation}, {"link: all gone", test_unlink}, {0},
};
