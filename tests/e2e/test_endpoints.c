/* What a service is reached by: every type of endpoint, from outside. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/e2e.h"

#define HTTPS "https://web-madams.skylark.localhost:8443"
#define HTTP "http://web-madams.skylark.localhost:8080"
#define CURL "curl -sS --max-time 20 --cacert \"$SKYLARK_CA\" "
/* For names that no name server knows. */
#define HERE "--connect-to ::127.0.0.1: "

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
    shell_says(10, "page of web-0 v1\npage of web-1 v1", "for i in 1 2 3 4 5 6 7 8; do " CURL HTTPS "/; done | sort -u");
    shell_says(0, "page of web-", CURL HTTP "/");
    shell_says(0, "page of web-", CURL HERE "http://web.example.com:8080/");
    shell_says(0, "page of web-", CURL "--http2 " HTTPS "/");
    /* Client address, host and scheme are handed on, and what a client claims about them is not. */
    shell_says(0, "127.0.0.1 https web-madams.skylark.localhost:8443 mine",
               CURL "-H 'X-Forwarded-For: 6.6.6.6' -H 'X-Forwarded-Proto: evil' -H 'X-Mine: mine' " HTTPS "/headers | tr -d '\\r' | "
               "awk -F ': ' '{ v[tolower($1)] = $2 } END { print v[\"x-forwarded-for\"], v[\"x-forwarded-proto\"], v[\"host\"], v[\"x-mine\"] }'");
    shell_says(0, "http", CURL HTTP "/headers | grep -i x-forwarded-proto");
}

static void test_http_bodies(void)
{
    /* 64 MiB each way, and what is streamed arrives as it is made: first bytes long before the last. */
    shell_says(0, "67108864", "head -c 67108864 /dev/zero | " CURL "-T - -X POST " HTTPS "/upload");
    shell_says(0, "67108864", CURL HTTPS "/big?bytes=67108864 | wc -c");
    shell_says(0, "streamed", CURL "-N -o /dev/null -w '%%{time_starttransfer} %%{time_total}' '" HTTPS "/stream?n=5&ms=400' | "
                              "awk '$1 < 1 && $2 > 1.5 { print \"streamed\" }'");
    shell_says(0, "418", CURL "-o /dev/null -w '%%{http_code}' '" HTTPS "/status?code=418'");
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
    shell_says(0, "404 application/problem+json", CURL HERE "-k -o /dev/null -w '%%{http_code} %%{content_type}' https://nobody.example.org:8443/");
    shell_says(0, "404", CURL "-o /dev/null -w '%%{http_code}' -H 'Host: x.web-madams.skylark.localhost' " HTTPS "/");
}

/* A certificate of the operator's for one domain; the others go on with the base certificate. */
static void test_certificate(void)
{
    int status;
    shell_says(0, "no alternative certificate subject name", CURL HERE "https://own.example.com:8443/");
    char *text = world_shell(&status,
        "set -e; d='%s/certificates/own.example.com'; mkdir -p \"$d.new\"; cd \"$d.new\"; t='%s/tls'; "
        "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout privkey.pem -subj /CN=own -out csr 2>&1; "
        "echo 'subjectAltName=DNS:own.example.com' >ext; "
        "openssl x509 -req -in csr -CA \"$t/ca.crt\" -CAkey \"$t/ca.key\" -days 1 -extfile ext -set_serial 4711 -out fullchain.pem 2>&1; "
        "mv \"$d.new\" \"$d\"", world.var, world.var);
    CHECK(status == 0, "%s", text);
    free(text);
    shell_says(20, "page of web-", CURL HERE "https://own.example.com:8443/");
    shell_says(0, "page of web-", CURL HTTPS "/");
    /* A key that does not fit: the name has the server's own again, it is said, and everybody else's routes go on. */
    free(world_shell(NULL, "openssl ecparam -name prime256v1 -genkey -noout -out '%s/certificates/own.example.com/privkey.pem'", world.var));
    shell_says(20, "key values mismatch", "\"$B/skylarkctl\" -c '%s/etc/ctl.conf' doctor", world.var);
    service_says("web", "Error", "is served under own.example.com with the server's own certificate", 20);
    shell_says(0, "page of web-", CURL HERE "-k https://own.example.com:8443/");
    if (service_create_of("team/web:v1", "beside", 1, ",\"instance_ports\":[{\"container_port\":80,\"endpoint_type\":\"http-endpoint\"}]") &&
        service_runs("madams", "beside", 1, 60))
        shell_says(5, "page of beside-0", CURL "https://beside-madams.skylark.localhost:8443/");
    service_delete("beside");
    free(world_shell(NULL, "rm -r '%s/certificates/own.example.com'", world.var));
    shell_says(20, "1 serve the latest routes", "\"$B/skylarkctl\" -c '%s/etc/ctl.conf' doctor", world.var);
}

/* What certbot puts into its webroot is shown under every name; the rest of the folder is the service's. */
static void test_acme(void)
{
    free(world_shell(NULL, "d='%s/acme/.well-known/acme-challenge'; mkdir -p \"$d\" && echo proof >\"$d/token\"", world.var));
    shell_says(0, "proof", CURL HERE "http://web.example.com:8080/.well-known/acme-challenge/token");
    shell_says(0, "proof", CURL "http://localhost:8080/.well-known/acme-challenge/token");
    shell_says(0, "400", CURL HERE "-o /dev/null -w '%%{http_code}' http://web.example.com:8080/.well-known/acme-challenge/%%2e%%2e/%%2e%%2e/%%2e%%2e/%%2e%%2e/etc/passwd");
    /* What nginx itself refuses is no HTML page either. */
    shell_says(0, "405 application/problem+json", CURL HERE "-d x -o /dev/null -w '%%{http_code} %%{content_type}' "
                                                  "http://web.example.com:8080/.well-known/acme-challenge/token");
    shell_says(0, "405 application/problem+json", CURL "-X TRACE -o /dev/null -w '%%{http_code} %%{content_type}' " HTTPS "/");
    free(world_shell(NULL, "rm -r '%s/acme/.well-known'", world.var));
}

#define TCP "printf 'ping\\n' | timeout 5 busybox nc -w 3 127.0.0.1 %d"

static void test_tcp_and_udp(void)
{
    int tcp = (int)service_number("web", "instance_ports[1].service_port"), udp = (int)service_number("web", "instance_ports[3].service_port");
    shell_says(0, "tcp web-0 v1 ping\ntcp web-1 v1 ping", "for i in 1 2 3 4 5 6; do " TCP "; done | sort -u", tcp);
    shell_says(0, "udp web-", "bash -c 'exec 3<>/dev/udp/127.0.0.1/%d && printf hello >&3 && timeout 3 dd bs=100 count=1 <&3'", udp);
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
        shell_says(0, expected, TCP, port);
    }
    api_free(&a);
    /* Nothing of ours listens on all interfaces. */
    shell_says(0, "ours: 0", "echo \"ours: $(docker ps -q | xargs docker inspect --format '{{range .NetworkSettings.Ports}}{{range .}}{{println .HostIp}}"
                             "{{end}}{{end}}' | grep -cvE '^(127.0.0.1)?$')\"");
}

static void test_none_runs(void)
{
    CHECK(api_status("PUT", NULL, "/v1/services/madams/web/stop/") == 200, "stop");
    service_says("web", "Stopped", "", 40);
    shell_says(5, "503 application/problem+json", CURL "-o /dev/null -w '%%{http_code} %%{content_type}' " HTTPS "/");
    struct answer a = api_call(&(struct http_call){.base = HTTPS, .path = "/"});
    char retry[16];
    check_problem(&a, 503, "no instance runs");
    CHECK(http_header(&a.raw, "Retry-After", retry, sizeof retry) == 1, "no Retry-After");
    api_free(&a);
    int tcp = (int)service_number("web", "instance_ports[1].service_port");
    CHECK(tcp >= 20000, "the port is given back while it is stopped");
    shell_says(5, "refused", "printf 'ping\\n' | busybox nc -w 3 127.0.0.1 %d || echo refused", tcp);
    CHECK(api_status("PUT", NULL, "/v1/services/madams/web/start/") == 200, "start");
    service_runs("madams", "web", 2, 40);
    shell_says(5, "page of web-", CURL HTTPS "/");
}

/* A document of an instance that failed, and of its successor. */
static void test_instances(void)
{
    free(world_shell(NULL, "docker kill $(docker ps -q --filter label=skylark.name=web | head -n 1)"));
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
    shell_says(5, "page of next-0 v2", CURL HERE "http://web.example.com:8080/");
    service_delete("next");
    shell_says(5, "404", CURL HERE "-k -o /dev/null -w '%%{http_code}' https://web.example.com:8443/");
    service_delete("web");
    shell_says(5, "404", CURL "-o /dev/null -w '%%{http_code}' " HTTPS "/");
}

const struct check_test tests_endpoints[] = {
    {"endpoint http", test_http}, {"endpoint http: large and streamed bodies", test_http_bodies}, {"endpoint http: WebSocket", test_websocket},
    {"endpoint http: unknown hosts", test_unknown_host}, {"endpoint http: a certificate of one domain", test_certificate},
    {"endpoint http: certbot's webroot", test_acme}, {"endpoint tcp and udp", test_tcp_and_udp}, {"endpoint direct", test_direct},
    {"endpoint of which no instance runs", test_none_runs}, {"endpoint: documents of instances", test_instances},
    {"endpoint: a domain moves on", test_domain_moves}, {0},
};
