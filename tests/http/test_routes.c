/* Every route with and without a trailing slash, its methods, rights, and what it says of what is not there. */
#include <stdio.h>
#include <string.h>

#include "tests/http/suites.h"
#include "tests/lib/api.h"
#include "tests/lib/world.h"

#define STOPPED "{\"service_name\":\"%s\",\"image_name\":\"localhost/none\",\"target_state\":\"STOPPED\"}"
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct {
    const char *path;  /* without the trailing slash; {} stands for the namespace */
    const char *allow; /* every method of it, sorted */
    bool services;
} routes[] = {
    {"/v1/services/{}", "GET HEAD OPTIONS POST", true},
    {"/v1/services/{}/routes", "DELETE GET HEAD OPTIONS PUT", true},
    {"/v1/services/{}/routes/start", "OPTIONS PUT", true},
    {"/v1/services/{}/routes/stop", "OPTIONS PUT", true},
    {"/v1/services/{}/routes/logs", "GET HEAD OPTIONS", true},
    {"/v1/services/{}/routes/instances", "GET HEAD OPTIONS", true},
    {"/v1/services/{}/routes/instances/92d03b63-e34b-11e4-9fa4-0240eaf5c02d", "GET HEAD OPTIONS", true},
    {"/v1/services/{}/routes/instances/92d03b63-e34b-11e4-9fa4-0240eaf5c02d/logs", "GET HEAD OPTIONS", true},
    {"/v1/services/{}/routes/autoscaling", "GET HEAD OPTIONS", true},
    {"/v1/services/{}/routes/metrics", "GET HEAD OPTIONS", true},
    {"/v1/services/{}/routes/instances/92d03b63-e34b-11e4-9fa4-0240eaf5c02d/metrics", "GET HEAD OPTIONS", true},
    {"/v1/generate-api-token", "OPTIONS POST", false},
    {"/v1/auth/profile", "GET HEAD OPTIONS", false},
    {"/v1/auth/madams/profile", "GET HEAD OPTIONS", false},
    {"/v1/orgs", "GET HEAD OPTIONS", false},
    {"/v1/orgs/none", "GET HEAD OPTIONS", false},
    {"/v1/regions/{}", "GET HEAD OPTIONS", true},
    {"/v1/regions/{}/local/nodes", "GET HEAD OPTIONS", true},
    {"/healthz", "GET HEAD OPTIONS", false},
};
static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"};

static void place(char *out, size_t size, const char *path, const char *space, const char *slash)
{
    const char *hole = strstr(path, "{}");
    if (hole == NULL)
        snprintf(out, size, "%s%s", path, slash);
    else
        snprintf(out, size, "%.*s%s%s%s", (int)(hole - path), path, space, hole + 2, slash);
}

static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = list; (at = strstr(at, word)) != NULL; at += n) {
        if ((at == list || strchr(", ", at[-1]) != NULL) && (at[n] == '\0' || strchr(", ", at[n]) != NULL))
            return true;
    }
    return false;
}

static void check_allow(const struct answer *a, const char *expected, const char *what)
{
    char allow[256], word[16];
    int n = http_header(&a->raw, "Allow", allow, sizeof allow);
    CHECK(n == 1, "%s: %d Allow headers", what, n);
    size_t words = 0, commas = 0;
    for (const char *at = expected; *at != '\0'; words++) {
        size_t len = strcspn(at, " ");
        snprintf(word, sizeof word, "%.*s", (int)len, at);
        CHECK(has_word(allow, word), "%s: Allow \"%s\" lacks %s", what, allow, word);
        at += len + (at[len] == ' ');
    }
    for (const char *c = allow; *c != '\0'; c++)
        commas += *c == ',';
    CHECK(commas + 1 == words, "%s: Allow \"%s\" is not %s", what, allow, expected);
}

static void test_methods(void)
{
    char path[256], what[320];
    for (size_t r = 0; r < COUNT(routes); r++) {
        for (size_t m = 0; m < COUNT(methods) * 2; m++) {
            const char *method = methods[m / 2];
            place(path, sizeof path, routes[r].path, "madams", m % 2 == 0 ? "" : "/");
            snprintf(what, sizeof what, "%s %s", method, path);
            bool allowed = has_word(routes[r].allow, method);
            if (allowed && strcmp(method, "OPTIONS") != 0)
                continue;
            struct answer a = api(method, NULL, "%s", path);
            if (strcmp(method, "HEAD") == 0)
                CHECK(a.status == 405 && a.raw.body_len == 0, "%s: %ld %s", what, a.status, a.raw.body);
            else if (allowed)
                CHECK(a.status == 204 && a.raw.body_len == 0, "%s: %ld %s", what, a.status, a.raw.body);
            else
                check_problem(&a, 405, what);
            check_allow(&a, routes[r].allow, what);
            api_free(&a);
        }
    }
}

/* A write is never redirected, and no slash changes an answer. */
/* A path with every slash doubled, and two at its end if asked for. */
static void doubled(const char *path, bool end, char *out, size_t size)
{
    size_t n = 0;
    for (; *path != '\0' && n + 3 < size; path++) {
        out[n++] = *path;
        if (*path == '/')
            out[n++] = '/';
    }
    snprintf(out + n, size - n, "%s", end ? "//" : "");
}

static void test_slashes(void)
{
    static const struct {
        const char *method, *path, *body;
        long status;
    } rows[] = {
        {"GET", "/v1/services/madams", NULL, 200}, {"GET", "/v1/services/madams/routes", NULL, 200},
        {"PUT", "/v1/services/madams/routes", "{\"target_num_instances\":1}", 200},
        {"PUT", "/v1/services/madams/routes/stop", NULL, 200}, {"GET", "/v1/services/madams/routes/logs", NULL, 200},
        {"GET", "/v1/services/madams/routes/instances", NULL, 200}, {"GET", "/v1/auth/profile", NULL, 200},
        {"GET", "/healthz", NULL, 200}, {"POST", "/v1/services/madams", "{}", 400},
        {"POST", "/v1/generate-api-token", "{}", 400}, {"GET", "/v1/services/madams/routes/instances/x", NULL, 404},
        {"GET", "/v1/services/madams/routes/instances/x/logs", NULL, 404}, {"GET", "/v1/services/madams/none", NULL, 404},
        {"DELETE", "/v1/services/madams/none", NULL, 404}, {"PUT", "/v1/services/madams/none", "{}", 404},
        {"PUT", "/v1/services/madams/none/start", NULL, 404}, {"PUT", "/v1/services/madams/none/stop", NULL, 404},
        {"GET", "/v1/auth/madams/profile", NULL, 200}, {"GET", "/v1/auth/other/profile", NULL, 404}, {"GET", "/v1/orgs", NULL, 200},
        {"GET", "/v1/orgs/none", NULL, 404}, {"GET", "/v1/regions/madams", NULL, 200}, {"GET", "/v1/regions/madams/none/nodes", NULL, 404},
        {"GET", "/v1/services/madams/none/logs", NULL, 404}, {"GET", "/v1/services/madams/none/instances", NULL, 404},
    };
    for (size_t i = 0; i < COUNT(rows) * 2; i++) {
        struct answer a = api(rows[i / 2].method, rows[i / 2].body, "%s%s", rows[i / 2].path, i % 2 == 0 ? "" : "/");
        CHECK(a.status == rows[i / 2].status, "%s %s%s: %ld %.200s", rows[i / 2].method, rows[i / 2].path,
              i % 2 == 0 ? "" : "/", a.status, a.raw.body);
        if (a.status >= 400)
            check_problem(&a, rows[i / 2].status, rows[i / 2].path);
        api_free(&a);
        /* Several slashes are one. */
        char path[256];
        doubled(rows[i / 2].path, i % 2 == 1, path, sizeof path);
        a = api(rows[i / 2].method, rows[i / 2].body, "%s", path);
        CHECK(a.status == rows[i / 2].status, "%s %s: %ld %.200s", rows[i / 2].method, path, a.status, a.raw.body);
        api_free(&a);
    }
}

static void test_head(void)
{
    static const char *const paths[] = {"/v1/services/madams/", "/v1/services/madams/routes/", "/v1/auth/profile/", "/healthz",
                                        "/v1/services/madams/routes/logs/", "/v1/services/madams/routes/instances/"};
    for (size_t i = 0; i < COUNT(paths); i++) {
        char length[32], type[64], head_length[32], head_type[64];
        struct answer get = api("GET", NULL, "%s", paths[i]), head = api("HEAD", NULL, "%s", paths[i]);
        CHECK(head.status == 200 && head.raw.body_len == 0, "%s: %ld, %zu bytes %s", paths[i], head.status, head.raw.body_len,
              head.raw.error);
        http_header(&get.raw, "Content-Type", type, sizeof type);
        http_header(&head.raw, "Content-Type", head_type, sizeof head_type);
        CHECK(strcmp(type, head_type) == 0 && strcmp(type, "application/json") == 0, "%s: %s, %s", paths[i], type, head_type);
        if (http_header(&get.raw, "Content-Length", length, sizeof length) == 1) {
            http_header(&head.raw, "Content-Length", head_length, sizeof head_length);
            CHECK(strcmp(length, head_length) == 0, "%s: %s, %s", paths[i], length, head_length);
        }
        api_free(&get);
        api_free(&head);
    }
    struct answer none = api("HEAD", NULL, "/v1/services/madams/none/");
    CHECK(none.status == 404 && none.raw.body_len == 0, "%ld", none.status);
    api_free(&none);
}

/* No token, a wrong one, and malformed headers. */
static void test_no_token(void)
{
    static const char *const headers[] = {NULL, "Authorization: Token wrong", "Authorization: Basic bWFkYW1zOng=",
                                          "Authorization: Token", "Authorization: Token a b", "Authorization: "};
    char path[256], what[320], challenge[64];
    for (size_t r = 0; r < 8; r++) {
        place(path, sizeof path, routes[r].path, "madams", "/");
        for (size_t h = 0; h < COUNT(headers); h++) {
            bool get = has_word(routes[r].allow, "GET");
            struct answer a = api_call(&(struct http_call){.method = get ? "GET" : "PUT", .path = path, .headers = {headers[h]}});
            snprintf(what, sizeof what, "%s with %s", path, headers[h] != NULL ? headers[h] : "no token");
            check_problem(&a, 401, what);
            CHECK(http_header(&a.raw, "WWW-Authenticate", challenge, sizeof challenge) == 1 && strncmp(challenge, "Token", 5) == 0,
                  "%s: WWW-Authenticate: %s", what, challenge);
            api_free(&a);
        }
    }
    char bearer[256];
    snprintf(bearer, sizeof bearer, "Authorization: Bearer %s", world.token);
    struct answer a = api_call(&(struct http_call){.path = "/v1/auth/profile", .headers = {bearer}});
    CHECK(a.status == 200, "Bearer: %ld %s", a.status, a.raw.body);
    api_free(&a);
}

static void test_read_only(void)
{
    static const struct {
        const char *method, *path, *body;
        long status;
    } rows[] = {
        {"GET", "/v1/services/madams/", NULL, 200}, {"GET", "/v1/services/madams/routes/", NULL, 200},
        {"GET", "/v1/services/madams/routes/logs/", NULL, 200}, {"GET", "/v1/services/madams/routes/instances/", NULL, 200},
        {"POST", "/v1/services/madams/", "{\"service_name\":\"forbidden\",\"image_name\":\"localhost/none\"}", 403},
        {"PUT", "/v1/services/madams/routes/", "{\"target_num_instances\":7}", 403},
        {"PUT", "/v1/services/madams/routes/start/", NULL, 403}, {"PUT", "/v1/services/madams/routes/stop/", NULL, 403},
        {"DELETE", "/v1/services/madams/routes/", NULL, 403},
    };
    const char *const tokens[] = {world.read_token, world.member_token};
    for (size_t t = 0; t < COUNT(tokens); t++) {
        for (size_t i = 0; i < COUNT(rows); i++) {
            struct answer a = api_as(tokens[t], rows[i].method, rows[i].body, "%s", rows[i].path);
            CHECK(a.status == rows[i].status, "%s %s: %ld %.200s", rows[i].method, rows[i].path, a.status, a.raw.body);
            if (rows[i].status == 403)
                check_problem(&a, 403, rows[i].path);
            api_free(&a);
        }
    }
    struct answer a = api("GET", NULL, "/v1/services/madams/routes/");
    CHECK(doc_int(a.json, "target_num_instances") == 1 && strcmp(doc_text(a.json, "target_state"), "STOPPED") == 0, "%s",
          a.raw.body);
    api_free(&a);
}

/* Takes out of a problem document what differs between any two requests. */
static char *without_id(struct answer *a, char *out, size_t size)
{
    char *at = strstr(a->raw.body, "\"request_id\": \"");
    if (at == NULL) {
        snprintf(out, size, "%s", a->raw.body);
    } else {
        const char *rest = strchr(at + 15, '"');
        snprintf(out, size, "%.*s%s", (int)(at - a->raw.body), a->raw.body, rest != NULL ? rest : "");
    }
    return out;
}

/* Another tenant's namespace answers exactly as one that does not exist, whatever is asked. */
static void test_other_tenant(void)
{
    char path[256], ghost[256], ours[2048], theirs[2048];
    for (size_t r = 0; r < COUNT(routes); r++) {
        if (!routes[r].services)
            continue;
        for (size_t m = 0; m < COUNT(methods); m++) {
            static const char *const bodies[] = {NULL, "{}", "{\"service_name\":\"x\",\"image_name\":\"y\"}", "{broken"};
            bool body = strcmp(methods[m], "POST") == 0 || strcmp(methods[m], "PUT") == 0;
            if (strcmp(methods[m], "HEAD") == 0)
                continue;
            for (size_t b = 0; b < (body ? COUNT(bodies) : 1); b++) {
                place(path, sizeof path, routes[r].path, "madams", "/");
                place(ghost, sizeof ghost, routes[r].path, "nobody", "/");
                struct answer there = api_as(world.other_token, methods[m], bodies[b], "%s", path);
                struct answer nowhere = api_as(world.other_token, methods[m], bodies[b], "%s", ghost);
                CHECK(there.status == nowhere.status, "%s %s: %ld, %ld", methods[m], path, there.status, nowhere.status);
                CHECK(strcmp(without_id(&there, ours, sizeof ours), without_id(&nowhere, theirs, sizeof theirs)) == 0,
                      "%s %s: %s and %s", methods[m], path, ours, theirs);
                if (has_word(routes[r].allow, methods[m]) && strcmp(methods[m], "OPTIONS") != 0)
                    CHECK(there.status == 404, "%s %s: %ld %s", methods[m], path, there.status, there.raw.body);
                api_free(&there);
                api_free(&nowhere);
            }
        }
    }
    struct answer a = api_as(world.other_token, "GET", NULL, "/v1/services/madams/?page=0&rubbish=1");
    check_problem(&a, 404, "a bad question about another's namespace");
    api_free(&a);
}

static void test_conflicts(void)
{
    struct answer a = api("POST", "{\"service_name\":\"routes\",\"image_name\":\"localhost/none\",\"target_state\":\"STOPPED\"}",
                          "/v1/services/madams/");
    check_problem(&a, 409, "name taken");
    CHECK(strstr(doc_text(a.json, "detail"), "App routes already exists") != NULL, "with what: %s", a.raw.body);
    api_free(&a);
    static const char domain[] = "{\"service_name\":\"%s\",\"image_name\":\"localhost/none\",\"target_state\":\"STOPPED\","
                                 "\"custom_domain_name\":\"taken.example.com\"}";
    char body[512];
    snprintf(body, sizeof body, domain, "routes-domain");
    CHECK(api_status("POST", body, "/v1/services/madams/") == 201, "first of a domain");
    snprintf(body, sizeof body, domain, "routes-domain2");
    a = api("POST", body, "/v1/services/madams/");
    check_problem(&a, 409, "domain taken");
    CHECK(strstr(doc_text(a.json, "detail"), "taken.example.com") != NULL, "with what: %s", a.raw.body);
    api_free(&a);
    a = api("PUT", "{\"custom_domain_name\":\"TAKEN.example.com\"}", "/v1/services/madams/routes/");
    check_problem(&a, 409, "domain taken, by an update, in other letters");
    api_free(&a);
    /* A linked service stays as long as it is linked. */
    CHECK(api_status("PUT", "{\"linked_to_apps\":{\"routes-domain\":\"db\"}}", "/v1/services/madams/routes/") == 200, "link");
    a = api("GET", NULL, "/v1/services/madams/routes-domain/");
    CHECK(strcmp(doc_text(a.json, "linked_from_apps"), "{\"routes\": \"db\"}") == 0, "%s", doc_text(a.json, "linked_from_apps"));
    api_free(&a);
    a = api("DELETE", NULL, "/v1/services/madams/routes-domain/");
    check_problem(&a, 409, "linked");
    CHECK(strstr(doc_text(a.json, "detail"), "routes") != NULL, "with what: %s", a.raw.body);
    api_free(&a);
    CHECK(api_status("PUT", "{\"linked_to_apps\":{}}", "/v1/services/madams/routes/") == 200, "unlink");
    CHECK(api_status("DELETE", NULL, "/v1/services/madams/routes-domain/") == 204, "delete");
}

static void test_setup(void)
{
    char body[256];
    snprintf(body, sizeof body, STOPPED, "routes");
    CHECK(api_status("POST", body, "/v1/services/madams/") == 201, "create");
}

static void test_unknown_paths(void)
{
    static const char *const paths[] = {"/", "/v1", "/v1/", "/v2/services/madams/", "/v1/services", "/v1/services/",
                                        "/v1/services/madams/routes/other", "/v1/services/madams/routes/instances/x/y",
                                        "/v1/services/madams/routes/start/now", "/index.html", "/v1/auth", "/healthz/x",
                                        "/.skylark-problem", "/.skylark-problem/plain-http", "/robots.txt"};
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct answer a = api("GET", NULL, "%s", paths[i]);
        check_problem(&a, 404, paths[i]);
        api_free(&a);
    }
}

static void test_cleanup(void)
{
    CHECK(api_status("DELETE", NULL, "/v1/services/madams/routes/") == 204, "delete");
}

const struct check_test tests_routes[] = {
    {"(a service to ask about)", test_setup}, {"405, OPTIONS and Allow", test_methods},
    {"with and without a trailing slash", test_slashes}, {"HEAD", test_head}, {"401", test_no_token},
    {"403: a token or member that may only read", test_read_only},
    {"404: another tenant's is as none", test_other_tenant}, {"409 says with what", test_conflicts},
    {"404: unknown paths", test_unknown_paths}, {"(the service goes)", test_cleanup}, {0},
};
