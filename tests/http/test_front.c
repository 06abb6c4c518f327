/* nginx in front: its own errors are problem documents too, request ids, what is public and what is not, TLS. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/http/suites.h"
#include "tests/lib/api.h"
#include "tests/lib/world.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* The problem document in raw bytes of HTTP/1. */
static void check_raw(const char *base, const void *bytes, size_t len, long status, const char *what)
{
    char *text = http_raw(base, bytes, len), line[64];
    REQUIRE(text != NULL, "%s: no connection", what);
    snprintf(line, sizeof line, "HTTP/1.1 %ld ", status);
    CHECK(strncmp(text, line, strlen(line)) == 0, "%s: %.300s", what, text);
    CHECK(strstr(text, "application/problem+json") != NULL && strstr(text, "X-Request-Id:") != NULL, "%s: %.600s", what, text);
    char *body = strstr(text, "\r\n\r\n");
    struct json_object *json = body != NULL ? json_tokener_parse(body + 4) : NULL;
    CHECK(doc_int(json, "status") == status && doc_text(json, "detail")[0] != '\0', "%s: %.600s", what, text);
    CHECK(strstr(text, "<html") == NULL && strstr(text, "Server: nginx/") == NULL, "%s: %.600s", what, text);
    json_object_put(json);
    free(text);
}

#define RAW(base, bytes, status) check_raw((base), (bytes), sizeof(bytes) - 1, (status), (bytes))

static void test_own_errors(void)
{
    RAW(world.url, "rubbish\r\n\r\n", 400);
    RAW(world.url, "GET /healthz HTTP/1.1\r\n\r\n", 400);
    RAW(world.url, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: other\r\nConnection: close\r\n\r\n", 400);
    RAW(world.url, "GET /healthz HTTP/9.9\r\nHost: localhost\r\n\r\n", 505);
    RAW(world.url, "POST /v1/services/madams/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400);
    RAW(world.url, "POST /v1/services/madams/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999\r\nConnection: close\r\n\r\n", 413);
    RAW(world.url, "POST /v1/services/madams/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n", 400);
    RAW(world.url, "GET healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400);
    /* Plain HTTP spoken to the TLS port. */
    char plain[256];
    snprintf(plain, sizeof plain, "http%s", world.url + 5);
    RAW(plain, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400);
    size_t size = 70000;
    char *huge = malloc(size + 1);
    memset(huge, 'a', size);
    memcpy(huge, "GET /", 5);
    huge[size] = '\0';
    check_raw(world.url, huge, size, 414, "a request line of 70,000 bytes");
    int n = snprintf(huge, size, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Much: ");
    huge[n] = 'a';
    check_raw(world.url, huge, size, 431, "a header field of 70,000 bytes");
    free(huge);
}

static void test_plain(void)
{
    struct answer a = api_call(&(struct http_call){.base = world.plain_url, .path = "/v1/services/madams/?page=2", .token = world.token});
    char location[256];
    CHECK(a.status == 308 && http_header(&a.raw, "Location", location, sizeof location) == 1, "%ld %s", a.status, a.raw.body);
    CHECK(strncmp(location, world.url, strlen(world.url)) == 0 && strstr(location, "/v1/services/madams/?page=2") != NULL, "%s", location);
    check_problem(&a, 308, "plain HTTP");
    api_free(&a);
}

static void test_request_id(void)
{
    static const struct {
        const char *header;
        const char *echo; /* NULL: one of the server's own */
    } rows[] = {
        {NULL, NULL}, {"X-Request-Id: my-id_1.2", "my-id_1.2"}, {"X-Request-Id: bad id", NULL}, {"X-Request-Id: \"}{", NULL},
        {"X-Request-Id: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL}, {"X-Request-Id: ", NULL},
    };
    static const char *const paths[] = {"/v1/services/madams/", "/nothing", "/metrics", "/healthz"};
    char before[128] = "", id[128];
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t p = 0; p < COUNT(paths); p++) {
            struct answer a = api_call(&(struct http_call){.path = paths[p], .token = world.token, .headers = {rows[i].header}});
            int n = http_header(&a.raw, "X-Request-Id", id, sizeof id);
            CHECK(n == 1 && strlen(id) >= 8, "%s: %d X-Request-Id: %s", paths[p], n, id);
            CHECK(rows[i].echo == NULL ? strcmp(id, before) != 0 && strlen(id) <= 64 : strcmp(id, rows[i].echo) == 0, "%s: %s", paths[p], id);
            snprintf(before, sizeof before, "%s", id);
            api_free(&a);
        }
    }
    /* It stands in the log of the API's event and the access log. */
    struct answer a = api_call(&(struct http_call){.path = "/v1/auth/profile/", .token = world.token, .headers = {"X-Request-Id: find-me-in-logs"}});
    api_free(&a);
    bool there = false;
    for (double end = 0; !there && world_waiting(&end, 5);)
        there = world_log_has("access.log", "\"request_id\":\"find-me-in-logs\"");
    CHECK(there, "the id is not in the access log");
}

static void test_public_and_not(void)
{
    static const char *const hidden[] = {"/metrics", "/readyz", "/metrics/", "/readyz/", "//metrics", "/%6detrics", "/x/../metrics",
                                         "/metrics?x", "/readyz%2f"};
    for (size_t i = 0; i < COUNT(hidden); i++) {
        struct answer a = api_call(&(struct http_call){.path = hidden[i], .headers = {"SKYLARK_LISTENER: internal", "Skylark-Listener: internal"}});
        CHECK(a.status == 404 || a.status == 400, "%s: %ld %.200s", hidden[i], a.status, a.raw.body);
        api_free(&a);
    }
    struct answer a = api_as(NULL, "GET", NULL, "/healthz");
    CHECK(a.status == 200 && json_object_is_type(a.json, json_type_object), "%ld %s", a.status, a.raw.body);
    api_free(&a);
    a = api_call(&(struct http_call){.base = world.internal_url, .path = "/readyz"});
    CHECK(a.status == 200 && strcmp(doc_text(a.json, "status"), "ready") == 0, "%ld %s", a.status, a.raw.body);
    api_free(&a);
    a = api_call(&(struct http_call){.base = world.internal_url, .path = "/metrics"});
    CHECK(a.status == 200 && strstr(a.raw.body, "# TYPE ") != NULL && strstr(a.raw.body, "skylark_") != NULL, "%ld %.300s", a.status, a.raw.body);
    api_free(&a);
}

static void test_tls(void)
{
    static const struct {
        const char *what;
        long version;
        const char *ciphers;
        bool good;
    } rows[] = {
        {"1.3", CURL_SSLVERSION_TLSv1_3, NULL, true},
        {"1.2", CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_TLSv1_2, NULL, true},
        {"1.1", CURL_SSLVERSION_TLSv1_0 | CURL_SSLVERSION_MAX_TLSv1_1, "DEFAULT@SECLEVEL=0", false},
        {"1.2 with AES128-SHA", CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_TLSv1_2, "AES128-SHA", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_response r = http_do(&(struct http_call){.path = "/healthz", .tls_version = rows[i].version, .ciphers = rows[i].ciphers});
        CHECK((r.status == 200) == rows[i].good, "TLS %s: %ld %s", rows[i].what, r.status, r.error);
        http_free(&r);
    }
    struct http_response r = http_do(&(struct http_call){.path = "/healthz", .no_ca = true});
    CHECK(r.code == CURLE_PEER_FAILED_VERIFICATION, "without the CA: %ld %s", r.status, r.error);
    http_free(&r);
}

const struct check_test tests_front[] = {
    {"nginx's own errors", test_own_errors}, {"plain HTTP", test_plain}, {"X-Request-Id", test_request_id},
    {"what is public", test_public_and_not}, {"TLS", test_tls}, {0},
};
