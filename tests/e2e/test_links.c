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
    if (service_create_of("team/web:v1", "base-1", 1, ",\"instance_ports\":[{\"container_port\":22,\"endpoint_type\":\"internal-endpoint\"}]") &&
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
    shell_says(0, "nothing is published", IN("base") "true && docker port $(docker ps -q --filter label=skylark.name=base | head -n 1) | "
               "grep . || echo nothing is published");
    shell_says(0, "404", "curl -sS -o /dev/null -w '%%{http_code}' --cacert \"$SKYLARK_CA\" https://base-madams.skylark.localhost:8443/");
}

/* Another tenant knows the address, and tries. */
static void test_isolation(void)
{
    char body[512];
    snprintf(body, sizeof body, "{\"service_name\":\"spy\",\"image_name\":\"%s/team/work\",\"image_tag\":\"v1\",\"instance_size\":\"XXS\"}", world.registry);
    struct answer a = api_as(world.other_token, "POST", body, "/v1/services/other/");
    REQUIRE(a.status == 201, "%ld %s", a.status, a.raw.body);
    api_free(&a);
    char *address = NULL;
    for (double end = 0; (address == NULL || address[0] == '\0') && world_waiting(&end, 40);) {
        free(address);
        address = world_shell(NULL, "docker ps -q --filter label=skylark.name=spy | grep -q . && docker inspect --format "
                              "'{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' $(docker ps -q --filter label=skylark.name=base | head -n 1)");
    }
    shell_says(0, "tcp base-", IN("linker") "sh -c 'echo x | nc -w 2 %s 22'", address);
    shell_says(0, "ended with 1", IN("spy") "sh -c 'echo x | nc -w 2 %s 22'; echo ended with $?", address);
    shell_says(0, "ended with 1", IN("spy") "ping -c 1 -W 1 %s; echo ended with $?", address);
    shell_says(0, "answers: 0", "echo \"answers: $(" IN("spy") "sh -c 'echo x | nc -w 2 base 22' | grep -c 'tcp base')\"");
    free(address);
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
    shell_says(10, "networks: 0", "echo \"networks: $(docker network ls -q --filter label=skylark.namespace=madams | wc -l)\"");
}

const struct check_test tests_links[] = {
    {"link: environment and names", test_link}, {"link: an internal-endpoint", test_internal},
    {"link: namespaces can't reach each other", test_isolation}, {"link: all gone", test_unlink}, {0},
};
