/* Routes change without downtime, and what goes wrong with them is said. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/e2e.h"
#include "tests/lib/load.h"

#define PORTS                                                                                                          \
    "\"instance_ports\":[{\"container_port\":80,\"endpoint_type\":\"http-endpoint\"},"                                 \
    "{\"container_port\":22,\"endpoint_type\":\"tcp-endpoint\"}]"
#define URL "https://route-madams.skylark.localhost:8443/"
#define CURL "curl -sS --max-time 20 --cacert \"$SKYLARK_CA\" "
#define CONNECTIONS 8

/* Loads on both endpoints, for as long as something changes. */
struct loads {
    struct load *http, *tcp;
};

static struct loads loads_start(void)
{
    int port = (int)service_number("route", "instance_ports[1].service_port");
    struct loads loads = {
        .http = load_http_start(URL, NULL, world.ca, CONNECTIONS, 0, false),
        .tcp = load_tcp_start("127.0.0.1", port, CONNECTIONS, 0),
    };
    return loads;
}

/* most: how many may be lost. */
static void loads_end(struct loads loads, int most, const char *what)
{
    free(world_shell(NULL, "sleep 1")); /* what was served last is seen too */
    load_stop(loads.http);
    load_stop(loads.tcp);
    struct load_result http = load_finish(loads.http), tcp = load_finish(loads.tcp);
    printf("\n    %s: HTTP lost %d of %d, slowest %.2f s; TCP lost %d of %d, slowest %.2f s ", what, http.failed, http.done,
           http.slowest_seconds, tcp.failed, tcp.done, tcp.slowest_seconds);
    CHECK(http.done > 200 && http.failed <= most, "%s: HTTP lost %d of %d: %s", what, http.failed, http.done, http.first_failure);
    CHECK(tcp.done > 200 && tcp.failed <= most, "%s: TCP lost %d of %d: %s", what, tcp.failed, tcp.done, tcp.first_failure);
}

static void test_scale(void)
{
    if (!service_create_of("team/web:v1", "route", 2, "," PORTS) || !service_runs("madams", "route", 2, 60))
        return;
    struct loads loads = loads_start();
    CHECK(api_status("PUT", "{\"target_num_instances\":5}", "/v1/services/madams/route/") == 200, "up");
    service_runs("madams", "route", 5, 60);
    CHECK(api_status("PUT", "{\"target_num_instances\":1}", "/v1/services/madams/route/") == 200, "down");
    service_runs("madams", "route", 1, 60);
    loads_end(loads, 0, "scaled 2, 5, 1");
}

static void test_update(void)
{
    if (!service_runs("madams", "route", 1, 30))
        return;
    struct loads loads = loads_start();
    CHECK(api_status("PUT", "{\"image_tag\":\"v2\",\"target_num_instances\":2}", "/v1/services/madams/route/") == 200, "update");
    service_runs("madams", "route", 2, 90);
    loads_end(loads, 0, "update to another image");
    shell_says(0, "page of route-0 v2\npage of route-1 v2", "for i in 1 2 3 4 5 6 7 8; do " CURL URL "; done | sort -u");
}

/* Whoever talks to the instance at that moment loses; nobody else does. */
static void test_instance_killed(void)
{
    if (!service_runs("madams", "route", 2, 30))
        return;
    struct loads loads = loads_start();
    free(world_shell(NULL, "sleep 1; docker kill $(docker ps -q --filter label=skylark.name=route | head -n 1)"));
    service_runs("madams", "route", 2, 60);
    loads_end(loads, CONNECTIONS, "docker kill");
}

/* A request that an instance breaks off takes nothing away from the others. */
static void test_broken_request(void)
{
    if (!service_runs("madams", "route", 2, 30))
        return;
    shell_says(0, "502", CURL "-o /dev/null -w '%%{http_code}' " URL "hangup");
    shell_says(0, "good: 20", "echo good: $(for i in $(seq 20); do " CURL URL "; done | grep -c 'page of route-')");
}

/* The router dies: what is served goes on, and for as long as nobody looks after the routes, no instance ends that they lead to.
 * When it is back, it takes up what changed meanwhile. */
static void test_router_killed(void)
{
    if (!service_runs("madams", "route", 2, 30))
        return;
    struct loads loads = loads_start();
    process_kill("router");
    free(world_shell(NULL, "sleep 31"));
    CHECK(api_status("PUT", "{\"image_tag\":\"v1\"}", "/v1/services/madams/route/") == 200, "update");
    service_says("route", "Error", "no skylark-router has reported since", 60);
    free(world_shell(NULL, "sleep 3"));
    shell_says(0, "old: 2", "echo old: $(docker ps -q --filter label=skylark.name=route --filter ancestor=%s/team/web:v2 | wc -l)", world.registry);
    local_run();
    service_runs("madams", "route", 2, 90);
    CHECK(api_status("PUT", "{\"target_num_instances\":3}", "/v1/services/madams/route/") == 200, "scale");
    service_runs("madams", "route", 3, 60);
    loads_end(loads, 0, "kill -9 of skylark-router");
    shell_says(10, "page of route-2 v1", "for i in 1 2 3 4 5 6 7 8 9; do " CURL URL "; done");
}

/* nginx dies, and is started without routes: the router gives it what is to be served. */
static void test_front_killed(void)
{
    if (!service_runs("madams", "route", 3, 30))
        return;
    process_kill("front");
    local_run();
    shell_says(20, "page of route-", CURL URL);
    service_runs("madams", "route", 3, 30);
}

/* A template that nginx refuses leaves the old routes serving, and is reported wherever one looks. */
static void test_refused(void)
{
    if (!service_runs("madams", "route", 3, 30))
        return;
    free(world_shell(NULL, "t='%s/etc/nginx/skylark-routes.template'; cp \"$t\" \"$t.kept\"; sed -i 's/least_conn;/least_conns;/' \"$t\"", world.var));
    CHECK(api_status("PUT", "{\"target_num_instances\":4}", "/v1/services/madams/route/") == 200, "scale");
    service_says("route", "Error", "unknown directive \"least_conns\"", 30);
    shell_says(0, "unknown directive", "\"$B/skylarkctl\" -c '%s/etc/ctl.conf' doctor", world.var);
    shell_says(0, "unknown directive", "cat '%s/log/router.log'", world.var);
    shell_says(0, "skylark_router_faulty 1", "curl -sS http://127.0.0.1:9184/metrics");
    shell_says(0, "page of route-0 v1\npage of route-1 v1\npage of route-2 v1", "for i in 1 2 3 4 5 6 7 8 9; do " CURL URL "; done | sort -u");
    free(world_shell(NULL, "t='%s/etc/nginx/skylark-routes.template'; mv \"$t.kept\" \"$t\"", world.var));
    service_runs("madams", "route", 4, 30);
    shell_says(10, "page of route-3 v1", "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do " CURL URL "; done | sort -u");
}

/* A public port that another program holds is not served, and said; everything else is. */
static void test_port_taken(void)
{
    if (!service_runs("madams", "route", 4, 30))
        return;
    CHECK(api_status("PUT", NULL, "/v1/services/madams/route/stop/") == 200, "stop");
    service_says("route", "Stopped", "", 40);
    int port = (int)service_number("route", "instance_ports[1].service_port");
    shell_says(10, "free", "busybox nc -z 127.0.0.1 %d || echo free", port);
    free(world_shell(NULL, "busybox httpd -f -p 127.0.0.1:%d >/dev/null 2>&1 & echo $! >'%s/run/holder'", port, world.var));
    CHECK(api_status("PUT", NULL, "/v1/services/madams/route/start/") == 200, "start");
    char text[64];
    snprintf(text, sizeof text, "another program holds the public port %d/tcp", port);
    shell_says(30, text, "\"$B/skylarkctl\" -c '%s/etc/ctl.conf' doctor", world.var);
    shell_says(10, "page of route-", CURL URL);
    service_says("route", "Error", text, 20);
    /* It is that service's fault alone: another one comes up as if nothing were, and hears nothing of it. */
    if (service_create_of("team/web:v1", "bystander", 1, "," PORTS) && service_runs("madams", "bystander", 1, 60))
        service_says("bystander", "Running", "", 5);
    service_delete("bystander");
    free(world_shell(NULL, "kill \"$(cat '%s/run/holder')\"; rm '%s/run/holder'", world.var, world.var));
    service_runs("madams", "route", 4, 40);
    shell_says(20, "tcp route-", "printf 'ping\\n' | timeout 5 busybox nc -w 3 127.0.0.1 %d", port);
    service_delete("route");
}

/* With a HEALTHCHECK it is that which says when an instance gets requests. */
static void test_healthcheck(void)
{
    if (!service_create_of("team/checked:v1", "checked", 1, "," PORTS))
        return;
    service_says("checked", "Deploying", "health check has not said", 30);
    shell_says(0, "503", CURL "-o /dev/null -w '%%{http_code}' https://checked-madams.skylark.localhost:8443/");
    free(world_shell(NULL, "docker exec $(docker ps -q --filter label=skylark.name=checked) touch /tmp/healthy"));
    service_runs("madams", "checked", 1, 20);
    shell_says(5, "page of checked-0 v1", CURL "https://checked-madams.skylark.localhost:8443/");
    /* And when it gets none any more. */
    free(world_shell(NULL, "docker exec $(docker ps -q --filter label=skylark.name=checked) rm /tmp/healthy"));
    service_says("checked", "Error", "health check says unhealthy", 30);
    shell_says(5, "503", CURL "-o /dev/null -w '%%{http_code}' https://checked-madams.skylark.localhost:8443/");
    free(world_shell(NULL, "docker exec $(docker ps -q --filter label=skylark.name=checked) touch /tmp/healthy"));
    service_runs("madams", "checked", 1, 20);
    shell_says(5, "page of checked-0 v1", CURL "https://checked-madams.skylark.localhost:8443/");
    service_delete("checked");
}

/* One that listens on nothing is not called Running, and it is said why. */
static void test_unready(void)
{
    if (!service_create("deaf", "v1", 1, "," PORTS))
        return;
    service_says("deaf", "Deploying", "does not answer on port", 30);
    CHECK(engine_containers("madams", "deaf", false, NULL) == 1, "it runs");
    service_delete("deaf");
}

const struct check_test tests_routes[] = {
    {"route: scaled under load", test_scale}, {"route: updated under load", test_update},
    {"route: an instance is killed under load", test_instance_killed}, {"route: a request that breaks", test_broken_request},
    {"route: the router is killed under load", test_router_killed}, {"route: nginx is killed", test_front_killed},
    {"route: a template that nginx refuses", test_refused}, {"route: a public port that is taken", test_port_taken},
    {"route: HEALTHCHECK", test_healthcheck}, {"route: nothing listens", test_unready}, {0},
};
