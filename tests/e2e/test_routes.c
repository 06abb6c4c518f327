/* Routes change without downtime, and what goes wrong with them is said. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/e2e/e2e.h"
#include "tests/lib/load.h"

#define PORTS                                                                                                          \
    "\"instance_ports\":[{\"container_port\":80,\"endpoint_type\":\"http-endpoint\"},"                                 \
    "{\"container_port\":22,\"endpoint_type\":\"tcp-endpoint\"}]"
#define URL "https://route-madams.skylark.localhost:8443/"
#define CONNECTIONS 8

#define PAUSE_MS 30 /* between two requests of a connection: enough of them to see every gap, and the machine is not only busy with them */

/* Loads on both endpoints, for as long as something changes. */
struct loads {
    struct load *http, *tcp;
};

static struct loads loads_start(void)
{
    int port = (int)service_number("route", "instance_ports[1].service_port");
    load_pause(PAUSE_MS);
    struct loads loads = {
        .http = load_http_start(URL, NULL, world.ca, CONNECTIONS, 0, false),
        .tcp = load_tcp_start("127.0.0.1", port, CONNECTIONS, 0),
    };
    return loads;
}

/* Waits until so many more requests ended, on both. */
static void loads_go_on(struct loads loads, int requests)
{
    int http = load_done(loads.http) + requests, tcp = load_done(loads.tcp) + requests;
    for (double end = 0; (load_done(loads.http) < http || load_done(loads.tcp) < tcp) && world_waiting(&end, 60);)
        ;
}

/* most: how many may be lost. */
static void loads_end(struct loads loads, int most, const char *what)
{
    loads_go_on(loads, 20 * CONNECTIONS); /* what was served last is seen too */
    load_stop(loads.http);
    load_stop(loads.tcp);
    struct load_result http = load_finish(loads.http), tcp = load_finish(loads.tcp);
    printf("\n    %s: HTTP lost %d of %d, slowest %.2f s; TCP lost %d of %d, slowest %.2f s ", what, http.failed, http.done,
           http.slowest_seconds, tcp.failed, tcp.done, tcp.slowest_seconds);
    CHECK(http.done >= 20 * CONNECTIONS && http.failed <= most, "%s: HTTP lost %d of %d: %s", what, http.failed, http.done, http.first_failure);
    CHECK(tcp.done >= 20 * CONNECTIONS && tcp.failed <= most, "%s: TCP lost %d of %d: %s", what, tcp.failed, tcp.done, tcp.first_failure);
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
    pages_are(0, URL, TEXTS("page of route-0 v2", "page of route-1 v2"));
}

/* Whoever talks to the instance at that moment loses; nobody else does. */
static void test_instance_killed(void)
{
    if (!service_runs("madams", "route", 2, 30))
        return;
    struct loads loads = loads_start();
    loads_go_on(loads, 5 * CONNECTIONS);
    CHECK(engine_kill_one("route", -1, NULL), "not killed");
    service_runs("madams", "route", 2, 60);
    loads_end(loads, CONNECTIONS, "docker kill");
}

/* A request that an instance breaks off takes nothing away from the others. */
static void test_broken_request(void)
{
    if (!service_runs("madams", "route", 2, 30))
        return;
    page_answers(0, (struct http_call){.base = URL "hangup"}, 502, NULL, NULL);
    for (int i = 0; i < 20; i++)
        page_says(0, URL, "page of route-");
}

/* How many running instances are of an image of the registry. */
static int of_image(const char *service, const char *image)
{
    struct json_object *all, *its = NULL;
    int n = 0;
    engine_call("GET", NULL, &its, "/images/%s/%s/json", world.registry, image);
    for (int i = engine_containers("madams", service, false, &all) - 1; i >= 0; i--)
        n += strcmp(doc_text(json_object_array_get_idx(all, (size_t)i), "ImageID"), doc_text(its, "Id")) == 0;
    json_object_put(all);
    json_object_put(its);
    return n;
}

/* The router dies: what is served goes on, and for as long as nobody looks after the routes, no instance ends that they lead to.
 * When it is back, it takes up what changed meanwhile. */
static void test_router_killed(void)
{
    if (!service_runs("madams", "route", 2, 30))
        return;
    struct loads loads = loads_start();
    process_kill("router");
    /* As if half a minute had passed since it reported. */
    free(world_sql("UPDATE skylark.fronts SET observed_at = observed_at - interval '31 seconds'"));
    CHECK(api_status("PUT", "{\"image_tag\":\"v1\"}", "/v1/services/madams/route/") == 200, "update");
    service_says("route", "Error", "no skylark-router has reported since", 60);
    for (double end = 0; world_watching(&end, 3);) /* some passes later */
        ;
    CHECK(of_image("route", "team/web:v2") == 2, "%d old ones run", of_image("route", "team/web:v2"));
    local_run();
    service_runs("madams", "route", 2, 90);
    CHECK(api_status("PUT", "{\"target_num_instances\":3}", "/v1/services/madams/route/") == 200, "scale");
    service_runs("madams", "route", 3, 60);
    loads_end(loads, 0, "kill -9 of skylark-router");
    pages_are(10, URL, TEXTS("page of route-0 v1", "page of route-1 v1", "page of route-2 v1"));
}

/* nginx dies, and is started without routes: the router gives it what is to be served. */
static void test_front_killed(void)
{
    if (!service_runs("madams", "route", 3, 30))
        return;
    process_kill("front");
    local_run();
    page_says(20, URL, "page of route-");
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
    doctor_says(0, "unknown directive");
    CHECK(world_log_has("router.log", "unknown directive"), "it is not in router.log");
    page_says(0, "http://127.0.0.1:9184/metrics", "skylark_router_faulty 1");
    pages_are(0, URL, TEXTS("page of route-0 v1", "page of route-1 v1", "page of route-2 v1"));
    free(world_shell(NULL, "t='%s/etc/nginx/skylark-routes.template'; mv \"$t.kept\" \"$t\"", world.var));
    service_runs("madams", "route", 4, 30);
    pages_are(10, URL, TEXTS("page of route-0 v1", "page of route-1 v1", "page of route-2 v1", "page of route-3 v1"));
}

/* Listens on a port as a foreign program would; whoever closes what is returned gives it back. */
static int port_hold(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 5) == 0)
        return fd;
    close(fd);
    return -1;
}

/* A public port that another program holds is not served, and said; everything else is. */
static void test_port_taken(void)
{
    if (!service_runs("madams", "route", 4, 30))
        return;
    CHECK(api_status("PUT", NULL, "/v1/services/madams/route/stop/") == 200, "stop");
    service_says("route", "Stopped", "", 40);
    int port = (int)service_number("route", "instance_ports[1].service_port");
    tcp_says(10, "127.0.0.1", port, "refused");
    int holder = port_hold(port);
    CHECK(holder >= 0, "can't listen on %d", port);
    CHECK(api_status("PUT", NULL, "/v1/services/madams/route/start/") == 200, "start");
    char text[64];
    snprintf(text, sizeof text, "another program holds the public port %d/tcp", port);
    service_says("route", "Error", text, 30);
    doctor_says(30, text);
    page_says(10, URL, "page of route-");
    /* It is that service's fault alone: another one comes up as if nothing were, and hears nothing of it. */
    if (service_create_of("team/web:v1", "bystander", 1, "," PORTS) && service_runs("madams", "bystander", 1, 60))
        service_says("bystander", "Running", "", 5);
    service_delete("bystander");
    close(holder);
    service_runs("madams", "route", 4, 40);
    tcp_says(20, "127.0.0.1", port, "tcp route-");
    service_delete("route");
}

#define CHECKED "https://checked-madams.skylark.localhost:8443/"

/* With a HEALTHCHECK it is that which says when an instance gets requests. */
static void test_healthcheck(void)
{
    if (!service_create_of("team/checked:v1", "checked", 1, "," PORTS))
        return;
    service_says("checked", "Deploying", "health check has not said", 30);
    page_answers(0, (struct http_call){.base = CHECKED}, 503, NULL, NULL);
    exec_done("checked", -1, TEXTS("touch", "/tmp/healthy"));
    service_runs("madams", "checked", 1, 20);
    page_says(5, CHECKED, "page of checked-0 v1");
    /* And when it gets none any more. */
    exec_done("checked", -1, TEXTS("rm", "/tmp/healthy"));
    service_says("checked", "Error", "health check says unhealthy", 30);
    page_answers(5, (struct http_call){.base = CHECKED}, 503, NULL, NULL);
    exec_done("checked", -1, TEXTS("touch", "/tmp/healthy"));
    service_runs("madams", "checked", 1, 20);
    page_says(5, CHECKED, "page of checked-0 v1");
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
