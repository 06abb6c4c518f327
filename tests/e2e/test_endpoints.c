/* What a service is reached by: every type of endpoint, from outside. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/e2e.h"

#define HTTPS "https://web-madams.skylark.localhost:8443"
#define HTTP "http://web-madams.skylark.localhost:8080"
#define PROBLEM "application/problem+json"

static void test_http(void)
{
    if (!service_create_of("team/web:v1", "web", 2,
                           ",\"custom_domain_name\":\"web.example.com,own.example.com\",\"instance_ports\":["
                           "{\"container_port\":80,\"endpoint_type\":\"http-endpoint\"},"
                           "{\"container_port\":22,\"endpoint_type\":\"tcp-endpoint\"},"
                           "{\"container_port\":22,\"endpoint_type\":\"direct-endpoint\"},"
                           "{\"container_port\":22,\"protocol\":\"udp\",\"endpoint_type\":\"tcp-endpoint\"}]") ||
        !service_runs("madams", "web", 2, 60))
        return;
    pages_are(10, HTTPS "/", TEXTS("page of web-0 v1", "page of web-1 v1"));
    page_says(0, HTTP "/", "page of web-");
    page_says(0, "http://web.example.com:8080/", "page of web-");
    page_answers(0, (struct http_call){.base = HTTPS "/", .http2 = true}, 200, NULL, "page of web-");
    /* Client address, host and scheme are handed on, and what a client claims about them is not. */
    struct http_response r = http_do(&(struct http_call){
        .base = HTTPS, .path = "/headers", .headers = {"X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: evil", "X-Mine: mine"}});
    static const char *const handed_on[] = {"\nX-Forwarded-For: 127.0.0.1\n", "\nX-Forwarded-Proto: https\n",
                                            "\nHost: web-madams.skylark.localhost:8443\n", "\nX-Mine: mine\n"};
    for (size_t i = 0; i < sizeof handed_on / sizeof handed_on[0]; i++)
        CHECK(strcasestr(r.body, handed_on[i]) != NULL, "no%sin %s", handed_on[i], r.body);
    http_free(&r);
    page_says(0, HTTP "/headers", "X-Forwarded-Proto: http\n");
}

static void test_http_bodies(void)
{
    /* 64 MiB each way, and what is streamed arrives as it is made: first bytes long before the last. */
    enum { SIZE = 64 << 20 };
    char *body = calloc(1, SIZE);
    page_answers(0, (struct http_call){.method = "POST", .base = HTTPS, .path = "/upload", .body = body, .body_len = SIZE}, 200, NULL, "received 67108864");
    free(body);
    struct http_response r = http_do(&(struct http_call){.base = HTTPS, .path = "/big?bytes=67108864"});
    CHECK(r.body_len == SIZE, "%zu bytes came, %s", r.body_len, r.error);
    http_free(&r);
    /* 1.6 s lie between the first and the last, however slow the way is; gathered they would come together. */
    r = http_do(&(struct http_call){.base = HTTPS, .path = "/stream?n=5&ms=400"});
    CHECK(strstr(r.body, "chunk 5") != NULL && r.seconds - r.first_seconds > 0.4, "first byte after %.2f s, last after %.2f s", r.first_seconds,
          r.seconds);
    http_free(&r);
    page_answers(0, (struct http_call){.base = HTTPS, .path = "/status?code=418"}, 418, NULL, NULL);
}

/* RFC 6455: the handshake's example, and one masked frame "hello" that comes back. */
static void test_websocket(void)
{
    static const unsigned char frame[] = {0x81, 0x85, 1, 2, 3, 4, 'h' ^ 1, 'e' ^ 2, 'l' ^ 3, 'l' ^ 4, 'o' ^ 1, 0x88, 0x80, 0, 0, 0, 0};
    char request[512];
    int n = snprintf(request, sizeof request,
                     "GET /ws HTTP/1.1\r\nHost: web-madams.skylark.localhost:8443\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    memcpy(request + n, frame, sizeof frame);
    char *answer = http_raw(HTTPS, request, (size_t)n + sizeof frame);
    CHECK(answer != NULL && strstr(answer, "101 Switching") != NULL && strstr(answer, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != NULL &&
              strstr(answer, "\x81\x05hello") != NULL, "%s", answer != NULL ? answer : "no connection");
    free(answer);
}

static void test_unknown_host(void)
{
    struct answer a = api_call(&(struct http_call){.base = "https://nobody.skylark.localhost:8443", .path = "/"});
    CHECK(a.status == 404 && strstr(a.raw.body, "\"No service has this host name.\"") != NULL, "%ld %s", a.status, a.raw.body);
    api_free(&a);
    /* Any other name is the API's, which has no such page; so is one that looks like a tenant's. */
    page_answers(0, (struct http_call){.base = "https://nobody.example.org:8443/", .insecure = true}, 404, PROBLEM, NULL);
    page_answers(0, (struct http_call){.base = HTTPS "/", .headers = {"Host: x.web-madams.skylark.localhost"}}, 404, NULL, NULL);
}

/* A certificate of the operator's for one domain; the others go on with the base certificate. */
static void test_certificate(void)
{
    int status;
    struct http_response r = http_do(&(struct http_call){.base = "https://own.example.com:8443/", .path = "", .by_name = true});
    CHECK(strstr(r.error, "no alternative certificate subject name") != NULL, "%ld %s", r.status, r.error);
    http_free(&r);
    char *text = world_shell(&status,
        "set -e; d='%s/certificates/own.example.com'; mkdir -p \"$d.new\"; cd \"$d.new\"; t='%s/tls'; "
        "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout privkey.pem -subj /CN=own -out csr 2>&1; "
        "echo 'subjectAltName=DNS:own.example.com' >ext; "
        "openssl x509 -req -in csr -CA \"$t/ca.crt\" -CAkey \"$t/ca.key\" -days 1 -extfile ext -set_serial 4711 -out fullchain.pem 2>&1; "
        "mv \"$d.new\" \"$d\"", world.var, world.var);
    CHECK(status == 0, "%s", text);
    free(text);
    page_says(20, "https://own.example.com:8443/", "page of web-");
    page_says(0, HTTPS "/", "page of web-");
    /* A key that does not fit: the name has the server's own again, it is said, and everybody else's routes go on. */
    free(world_shell(NULL, "openssl ecparam -name prime256v1 -genkey -noout -out '%s/certificates/own.example.com/privkey.pem'", world.var));
    service_says("web", "Error", "is served under own.example.com with the server's own certificate", 20);
    doctor_says(20, "key values mismatch");
    page_answers(0, (struct http_call){.base = "https://own.example.com:8443/", .insecure = true}, 200, NULL, "page of web-");
    if (service_create_of("team/web:v1", "beside", 1, ",\"instance_ports\":[{\"container_port\":80,\"endpoint_type\":\"http-endpoint\"}]") &&
        service_runs("madams", "beside", 1, 60))
        page_says(5, "https://beside-madams.skylark.localhost:8443/", "page of beside-0");
    service_delete("beside");
    free(world_shell(NULL, "rm -r '%s/certificates/own.example.com'", world.var));
    service_says("web", "Running", "", 20);
    doctor_says(20, "1 serve the latest routes");
}

/* What certbot puts into its webroot is shown under every name; the rest of the folder is the service's. */
static void test_acme(void)
{
    free(world_shell(NULL, "d='%s/acme/.well-known/acme-challenge'; mkdir -p \"$d\" && echo proof >\"$d/token\"", world.var));
    page_says(0, "http://web.example.com:8080/.well-known/acme-challenge/token", "proof");
    page_says(0, "http://localhost:8080/.well-known/acme-challenge/token", "proof");
    page_answers(0, (struct http_call){.base = "http://web.example.com:8080/.well-known/acme-challenge/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd"}, 400, NULL, NULL);
    /* What nginx itself refuses is no HTML page either. */
    page_answers(0, (struct http_call){.method = "POST", .body = "x", .base = "http://web.example.com:8080/.well-known/acme-challenge/token"}, 405,
                 PROBLEM, NULL);
    page_answers(0, (struct http_call){.method = "TRACE", .base = HTTPS "/"}, 405, PROBLEM, NULL);
    free(world_shell(NULL, "rm -r '%s/acme/.well-known'", world.var));
}

static void test_tcp_and_udp(void)
{
    int tcp = (int)service_number("web", "instance_ports[1].service_port"), udp = (int)service_number("web", "instance_ports[3].service_port");
    tcp_are(5, "127.0.0.1", tcp, TEXTS("tcp web-0 v1 ping", "tcp web-1 v1 ping"));
    char *answer = net_udp_ask("127.0.0.1", udp, "hello");
    CHECK(strncmp(answer, "udp web-", 8) == 0, "%s", answer);
    free(answer);
}

static void test_direct(void)
{
    struct answer a = api("GET", NULL, "/v1/services/madams/web/instances/");
    CHECK(doc_len(a.json, "") == 2, "%s", a.raw.body);
    for (int i = 0; i < 2; i++) {
        char place[64], expected[64];
        snprintf(place, sizeof place, "[%d].instance_ports[2].service_port", i);
        int port = (int)doc_int(a.json, place);
        snprintf(place, sizeof place, "[%d].instance_ports[2].ipaddress", i);
        CHECK(strcmp(doc_text(a.json, place), "127.0.0.1") == 0, "%s", a.raw.body);
        snprintf(place, sizeof place, "[%d].instance_name", i);
        snprintf(expected, sizeof expected, "tcp web-%c v1 ping", doc_text(a.json, place)[strlen("web.")]);
        tcp_says(0, "127.0.0.1", port, expected);
    }
    api_free(&a);
    /* Nothing of ours listens on all interfaces. */
    struct json_object *all;
    int published = 0;
    for (int i = engine_list_containers("", false, &all) - 1; i >= 0; i--) {
        struct json_object *ports = doc_at(json_object_array_get_idx(all, (size_t)i), "Ports");
        for (int k = 0; k < doc_len(ports, ""); k++) {
            struct json_object *port = json_object_array_get_idx(ports, (size_t)k);
            const char *address = doc_text(port, "IP");
            published += doc_int(port, "PublicPort") > 0;
            CHECK(address[0] == '\0' || strcmp(address, "127.0.0.1") == 0, "%s", json_object_to_json_string(port));
        }
    }
    CHECK(published >= 2, "%d ports are published", published);
    json_object_put(all);
}

static void test_none_runs(void)
{
    CHECK(api_status("PUT", NULL, "/v1/services/madams/web/stop/") == 200, "stop");
    service_says("web", "Stopped", "", 40);
    page_answers(5, (struct http_call){.base = HTTPS "/"}, 503, PROBLEM, NULL);
    struct answer a = api_call(&(struct http_call){.base = HTTPS, .path = "/"});
    char retry[16];
    check_problem(&a, 503, "no instance runs");
    CHECK(http_header(&a.raw, "Retry-After", retry, sizeof retry) == 1, "no Retry-After");
    api_free(&a);
    int tcp = (int)service_number("web", "instance_ports[1].service_port");
    CHECK(tcp >= 20000, "the port is given back while it is stopped");
    tcp_says(5, "127.0.0.1", tcp, "refused");
    CHECK(api_status("PUT", NULL, "/v1/services/madams/web/start/") == 200, "start");
    service_runs("madams", "web", 2, 40);
    page_says(5, HTTPS "/", "page of web-");
}

/* A document of an instance that failed, and of its successor. */
static void test_instances(void)
{
    CHECK(engine_kill_one("web", -1, NULL), "not killed");
    bool failed = false;
    char last[4096] = "";
    for (double end = 0; !failed && world_waiting(&end, 30);) {
        struct answer a = api("GET", NULL, "/v1/services/madams/web/instances/");
        for (int i = 0; i < (int)doc_len(a.json, "") && !failed; i++) {
            struct json_object *one = json_object_array_get_idx(a.json, (size_t)i);
            failed = strcmp(doc_text(one, "status"), "running") == 0 && doc_int(one, "restarts") == 1 &&
                     doc_int(one, "last_failure.exit_code") == 137 && strstr(doc_text(one, "last_failure.reason"), "signal 9") != NULL &&
                     doc_text(one, "last_failure.uuid")[0] != '\0' && doc_text(one, "started_at")[0] != '\0' &&
                     doc_text(one, "ready_at")[0] != '\0' && doc_len(one, "instance_ports") == 4;
            if (failed) {
                struct answer b = api("GET", NULL, "/v1/services/madams/web/instances/%s/", doc_text(one, "last_failure.uuid"));
                CHECK(b.status == 200 && doc_int(b.json, "exit_code") == 137, "%ld %s", b.status, b.raw.body);
                api_free(&b);
                CHECK(api_status("GET", NULL, "/v1/services/madams/web/instances/%s/logs/", doc_text(one, "last_failure.uuid")) == 200, "its logs");
            }
        }
        snprintf(last, sizeof last, "%s", a.raw.body);
        api_free(&a);
    }
    CHECK(failed, "no instance tells of its predecessor's failure: %s", last);
    service_runs("madams", "web", 2, 30);
}

/* Released by its service, a domain leads to the next one that asks for it. */
static void test_domain_moves(void)
{
    CHECK(api_status("PUT", "{\"custom_domain_name\":\"own.example.com\"}", "/v1/services/madams/web/") == 200, "release");
    if (!service_create_of("team/web:v2", "next", 1, ",\"custom_domain_name\":\"web.example.com\",\"instance_ports\":["
                           "{\"container_port\":80,\"endpoint_type\":\"http-endpoint\"}]"))
        return;
    service_runs("madams", "next", 1, 40);
    page_says(5, "http://web.example.com:8080/", "page of next-0 v2");
    service_delete("next");
    page_answers(5, (struct http_call){.base = "https://web.example.com:8443/", .insecure = true}, 404, NULL, NULL);
    service_delete("web");
    page_answers(5, (struct http_call){.base = HTTPS "/"}, 404, NULL, NULL);
}

const struct check_test tests_endpoints[] = {
    {"endpoint http", test_http}, {"endpoint http: large and streamed bodies", test_http_bodies}, {"endpoint http: WebSocket", test_websocket},
    {"endpoint http: unknown hosts", test_unknown_host}, {"endpoint http: a certificate of one domain", test_certificate},
    {"endpoint http: certbot's webroot", test_acme}, {"endpoint tcp and udp", test_tcp_and_udp}, {"endpoint direct", test_direct},
    {"endpoint of which no instance runs", test_none_runs}, {"endpoint: documents of instances", test_instances},
    {"endpoint: a domain moves on", test_domain_moves}, {0},
};
