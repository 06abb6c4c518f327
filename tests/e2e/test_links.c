/* Links, and the networks of namespaces: who reaches whom. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/e2e.h"

/* In an instance of a service. */
#define IN(name) "docker exec $(docker ps -q --filter label=skylark.name=" name " | head -n 1) "

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
    char *env = world_shell(NULL, IN("linker") "env");
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        CHECK(strstr(env, variables[i]) != NULL, "no %s in %s", variables[i], env);
    free(env);
    /* By alias and by service name, to all instances. */
    shell_says(20, "tcp base-0 v1 x\ntcp base-1 v1 x",
               "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do " IN("linker") "sh -c 'echo x | nc -w 2 the-store 22'; done | sort -u");
    shell_says(0, "tcp base-", IN("linker") "sh -c 'echo x | nc -w 2 base 22'");
    /* An instance's own name is no other service's. */
    if (service_create_of("team/web:v1", "base-1", 1, ",\"instance_ports\":[{\"container_port\":22,\"endpoint_type\":\"direct-endpoint\"}]") &&
        service_runs("madams", "base-1", 1, 60)) {
        shell_says(0, "only: tcp base-1-0 v1 x", "echo only: $(for i in 1 2 3 4 5 6 7 8; do " IN("linker") "sh -c 'echo x | nc -w 2 base-1 22'; done | sort -u)");
        shell_says(0, "only: tcp base-0 v1 x", "echo only: $(for i in 1 2 3 4; do " IN("linker") "sh -c 'echo x | nc -w 2 base.0 22'; done | sort -u)");
    }
    service_delete("base-1");
    struct answer a = api("GET", NULL, "/v1/services/madams/base/");
    CHECK(strcmp(doc_text(a.json, "linked_from_apps"), "{ \"linker\" : \"the-store\" }") == 0, "%s", doc_text(a.json, "linked_from_apps"));
    api_free(&a);
    CHECK(api_status("DELETE", NULL, "/v1/services/madams/base/") == 409, "a service that others link to was deleted");
}

static void test_internal(void)
{
    struct answer a = api("GET", NULL, "/v1/services/madams/base/instances/");
    CHECK(strcmp(doc_text(a.json, "[0].instance_ports[0].endpoint_type"), "internal-endpoint") == 0 &&
              doc_at(a.json, "[0].instance_ports[0].ipaddress") == NULL, "it has an address for all: %s", a.raw.body);
    api_free(&a);
    shell_says(0, "nothing is published", IN("base") "true && docker port $(docker ps -q --filter label=skylark.name=base | head -n 1) | "
               "grep . || echo nothing is published");
    shell_says(0, "404", "curl -sS -o /dev/null -w '%%{http_code}' --cacert \"$SKYLARK_CA\" https://base-madams.skylark.localhost:8443/");
}

/* All addresses of a service's first instance, in whatever networks it is. */
#define ADDRESSES(name) "$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' " \
                        "$(docker ps -q --filter label=skylark.name=" name " | head -n 1))"

/* How often `from` gets an answer from port 22 of `to`, trying all its addresses and names. */
#define REACHED(from, to) "echo \"reached: $(for h in " ADDRESSES(to) " " to " " to ".0 the-store; do " \
                          IN(from) "sh -c \"echo x | nc -w 1 $h 22\"; done | grep -c '^tcp " to "-')\""

/* How many networks there are but the namespace's. */
static void networks_apart(int n)
{
    char expected[32];
    snprintf(expected, sizeof expected, "apart: %d;", n);
    shell_says(60, expected, "echo \"apart: $(docker network ls --filter label=skylark.namespace=madams --format '{{.Labels}}' | "
               "grep -c skylark.member);\"");
}

/* A neighbour in the namespace that does not link to it knows its names and addresses, and tries. */
static void test_apart(void)
{
    if (!service_create_of("team/web:v1", "neighbour", 1, ",\"instance_ports\":[{\"container_port\":22,\"endpoint_type\":\"direct-endpoint\"}]") ||
        !service_runs("madams", "neighbour", 1, 60))
        return;
    shell_says(0, "reached: 0", REACHED("neighbour", "base"));
    shell_says(0, "reached: 4", REACHED("linker", "base"));
    shell_says(0, "reached: 3", REACHED("linker", "neighbour"));
    networks_apart(2);
    /* One that is apart itself, and links to one that is and to one that is not. */
    if (!service_create_of("team/web:v1", "inner", 1,
                           ",\"instance_ports\":[{\"container_port\":22,\"endpoint_type\":\"internal-endpoint\"}],"
                           "\"linked_to_apps\":{\"base\":\"one\",\"neighbour\":\"two\"}") ||
        !service_runs("madams", "inner", 1, 60))
        return;
    networks_apart(5);
    shell_says(0, "tcp base-", IN("inner") "sh -c 'echo x | nc -w 2 one 22'");
    shell_says(0, "tcp neighbour-", IN("inner") "sh -c 'echo x | nc -w 2 two 22'");
    shell_says(0, "tcp neighbour-0 v1 x", IN("inner") "sh -c 'echo x | nc -w 2 neighbour.0 22'");
    shell_says(0, "reached: 0", REACHED("linker", "inner"));
    /* One more network changes nothing about how the node reaches it. */
    shell_says(0, "tcp neighbour-0 v1 x", "echo x | timeout 5 busybox nc -w 3 $(docker port $(docker ps -q --filter label=skylark.name=neighbour) 22/tcp | tr : ' ')");
    shell_says(0, "reached: 0", REACHED("neighbour", "base"));
}

/* New instances of both ends are in, whoever was there first. */
static void test_apart_again(void)
{
    char *old = world_shell(NULL, "docker ps -q --filter label=skylark.name=base --filter label=skylark.slot=0");
    shell_says(0, "", "docker kill %s", old);
    double end = 0;
    char *new = NULL;
    while ((new == NULL || new[0] == '\0' || strcmp(new, old) == 0) && world_waiting(&end, 40)) {
        free(new);
        new = world_shell(NULL, "docker ps -q --filter label=skylark.name=base --filter label=skylark.slot=0");
    }
    shell_says(20, "tcp base-0 v1 x", IN("linker") "sh -c 'echo x | nc -w 2 base.0 22'");
    shell_says(20, "tcp base-0 v1 x", IN("inner") "sh -c 'echo x | nc -w 2 base.0 22'");
    free(old);
    free(new);
    CHECK(api_status("PUT", "{\"target_num_instances\":2}", "/v1/services/madams/neighbour/") == 200, "not scaled");
    service_runs("madams", "neighbour", 2, 60);
    shell_says(20, "tcp neighbour-1 v1 x", IN("inner") "sh -c 'echo x | nc -w 2 neighbour.1 22'");
    /* Taken out by hand, it is put back when its service is looked at. */
    shell_says(0, "out", "for n in $(docker inspect --format '{{range $n, $e := .NetworkSettings.Networks}}{{$n}} {{end}}' "
               "$(docker ps -q --filter label=skylark.name=linker)); do docker network disconnect $n "
               "$(docker ps -q --filter label=skylark.name=base --filter label=skylark.slot=0) && echo out; done 2>/dev/null");
    shell_says(0, "away", IN("linker") "sh -c 'echo x | nc -w 2 base.0 22' || echo away");
    CHECK(api_status("PUT", "{\"target_num_instances\":3}", "/v1/services/madams/base/") == 200, "not scaled");
    shell_says(20, "tcp base-0 v1 x", IN("linker") "sh -c 'echo x | nc -w 2 base.0 22'");
    shell_says(20, "tcp base-2 v1 x", IN("linker") "sh -c 'echo x | nc -w 2 base.2 22'");
    /* A link is there as long as an instance that was made with it, whatever the other end is through with. */
    CHECK(api_status("PUT", "{\"linked_to_apps\":{\"neighbour\":\"two\"},\"image_tag\":\"no-such-tag\"}", "/v1/services/madams/inner/") == 200,
          "not unlinked");
    service_says("inner", "Error", "can't be pulled", 60);
    CHECK(api_status("PUT", "{\"target_num_instances\":2}", "/v1/services/madams/base/") == 200, "not scaled");
    service_runs("madams", "base", 2, 60);
    shell_says(0, "tcp base-", IN("inner") "sh -c 'echo x | nc -w 2 one 22'");
    networks_apart(5);
    /* Without the link: nothing. And what is not needed any more goes. */
    CHECK(api_status("PUT", "{\"image_tag\":\"v1\"}", "/v1/services/madams/inner/") == 200, "not updated");
    networks_apart(4);
    shell_says(20, "tcp neighbour-", IN("inner") "sh -c 'echo x | nc -w 2 two 22'");
    shell_says(0, "reached: 0", REACHED("inner", "base"));
    service_delete("inner");
    networks_apart(2);
}

#define GENERATION "docker ps --filter label=skylark.name=base --format '{{.Label \"skylark.generation\"}}' | %s"

/* An internal-endpoint is given up and taken up again under linked services that run on. */
static void test_apart_turned(void)
{
    /* Its new instances answer nobody: names lead to the old ones as well. */
    char body[512];
    snprintf(body, sizeof body, "{\"instance_ports\":[{\"container_port\":22,\"endpoint_type\":\"direct-endpoint\"}],"
             "\"image_name\":\"%s/team/work\"}", world.registry);
    CHECK(api_status("PUT", body, "/v1/services/madams/base/") == 200, "ports not changed");
    service_says("base", "Deploying", "does not answer on port 22", 40);
    shell_says(0, "tcp base-0 v1 x\ntcp base-1 v1 x",
               "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do " IN("linker") "sh -c 'echo x | nc -w 2 the-store 22'; done 2>/dev/null | sort -u");
    snprintf(body, sizeof body, "{\"image_name\":\"%s/team/web\"}", world.registry);
    CHECK(api_status("PUT", body, "/v1/services/madams/base/") == 200, "image not changed");
    networks_apart(0);
    shell_says(40, "reached: 3", REACHED("neighbour", "base"));
    shell_says(40, "tcp base-", IN("linker") "sh -c 'echo x | nc -w 2 the-store 22'");
    service_runs("madams", "base", 2, 60);
    char *before = world_shell(NULL, GENERATION, "sort -n | tail -n 1");
    CHECK(api_status("PUT", "{\"instance_ports\":[{\"container_port\":22,\"endpoint_type\":\"internal-endpoint\"}]}", "/v1/services/madams/base/") == 200,
          "ports not changed");
    /* At no moment of the way is there nobody who answers. (A name leads to one that has just ended for an instant.) */
    int silent = 0, asked = 0;
    bool done = false;
    for (double end = 0; !done && world_waiting(&end, 60); asked++) {
        char *said = world_shell(NULL, IN("linker") "sh -c 'for i in 1 2 3; do echo x | nc -w 2 the-store 22 && break; sleep 0.1; done'");
        char *now = world_shell(NULL, GENERATION, "sort -u");
        silent += strstr(said, "tcp base-") == NULL;
        done = strtol(now, NULL, 10) > strtol(before, NULL, 10);
        free(said);
        free(now);
    }
    free(before);
    CHECK(done && silent == 0, "of %d questions %d had no answer", asked, silent);
    shell_says(20, "reached: 0", REACHED("neighbour", "base"));
    shell_says(20, "reached: 4", REACHED("linker", "base"));
}

/* What the engine refuses is said, nothing is left of it, and it is tried again. The name of the link's network is taken: by an
 * interface that is no bridge. */
static void test_apart_refused(void)
{
    if (!service_create("late", "v1", 1, "") || !service_runs("madams", "late", 1, 60))
        return;
    char *name = world_sql("SELECT 'sky' || left(md5(concat_ws('/', g.id, a.id, b.id)), 12) FROM skylark.installation g, "
                           "skylark.services a, skylark.services b WHERE (a.name, b.name) = ('late', 'base')");
    name[strcspn(name, "\n")] = '\0';
    shell_says(0, "made", "ip link add %s type veth peer name skypeer && echo made", name);
    CHECK(api_status("PUT", "{\"linked_to_apps\":{\"base\":\"the-store\"}}", "/v1/services/madams/late/") == 200, "not linked");
    service_says("late", "Error", "could not be made: ", 60);
    service_says("late", "Error", "1 instance of the previous version keeps running", 60);
    shell_says(20, "containers: 1;", "echo \"containers: $(docker ps -aq --filter label=skylark.name=late | wc -l);\"");
    /* Whom a link leads to starts without it. */
    shell_says(0, "", "docker kill $(docker ps -q --filter label=skylark.name=base --filter label=skylark.slot=0)");
    service_says("base", "Error", "can't be put into the network of the link from late to base", 40);
    shell_says(20, "tcp base-0 v1 x", IN("linker") "sh -c 'echo x | nc -w 2 base.0 22'");
    shell_says(0, "gone", "ip link del %s && echo gone", name);
    service_says("late", "Running", "", 90);
    service_runs("madams", "base", 2, 60);
    shell_says(20, "reached: 4", REACHED("late", "base"));
    /* The same under one that runs. */
    shell_says(0, "made", "for s in late base; do for c in $(docker ps -q --filter label=skylark.name=$s); do docker network disconnect %s $c; done; "
               "done && docker network rm %s && ip link add %s type veth peer name skypeer && echo made", name, name, name);
    free(world_sql("WITH woken AS (UPDATE skylark.reconcile_queue q SET wakes = q.wakes + 1, due_at = now() FROM skylark.services s "
                   "WHERE s.id = q.service_id AND s.name = 'late' RETURNING s.id) SELECT pg_notify('skylark_services', id::text) FROM woken"));
    service_says("late", "Error", "can't be put into the network of the link from late to base", 40);
    shell_says(0, "gone", "ip link del %s && echo gone", name);
    service_says("late", "Running", "", 60);
    shell_says(20, "tcp base-", IN("late") "sh -c 'echo x | nc -w 2 the-store 22'");
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
    shell_says(40, "runs", "docker ps -q --filter label=skylark.name=spy | grep -q . && echo runs");
    shell_says(0, "reached: 4", REACHED("linker", "base"));
    shell_says(0, "reached: 0", REACHED("spy", "base"));
    shell_says(0, "reached: 0", REACHED("spy", "neighbour"));
    a = api_as(world.other_token, "DELETE", NULL, "/v1/services/other/spy/");
    CHECK(a.status == 204, "%ld", a.status);
    api_free(&a);
    int left = -1;
    for (double end = 0; left != 0 && world_waiting(&end, 40);)
        left = engine_containers("other", "spy", true, NULL);
    /* With its last service, the namespace's network goes. */
    shell_says(10, "networks of other: 0", "echo \"networks of other: $(docker network ls -q --filter label=skylark.namespace=other | wc -l)\"");
}

static void test_unlink(void)
{
    service_delete("linker");
    service_delete("base");
    service_delete("neighbour");
    shell_says(10, "networks: 0", "echo \"networks: $(docker network ls -q --filter label=skylark.namespace=madams | wc -l)\"");
}

const struct check_test tests_links[] = {
    {"link: environment and names", test_link}, {"link: an internal-endpoint", test_internal},
    {"link: an internal-endpoint is for linked services only", test_apart},
    {"link: new instances on either side of an internal-endpoint", test_apart_again},
    {"link: an internal-endpoint that comes and goes", test_apart_turned},
    {"link: a network that the engine refuses", test_apart_refused},
    {"link: namespaces can't reach each other", test_isolation}, {"link: all gone", test_unlink}, {0},
};
