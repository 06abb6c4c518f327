/* Every route: bodies of every kind, paths and query strings; and who may not in costs nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/hostile/hostile.h"
#include "tests/lib/api.h"
#include "tests/lib/world.h"

/* Finding out who asks, and once a minute the note that the token was used. */
#define STATEMENTS_OF_REFUSAL 2

static const struct cost_limits refused = {.status_min = 400, .status_max = 499, .statements_max = STATEMENTS_OF_REFUSAL};

static bool needs_token(const struct route *route)
{
    return route->access >= ROUTE_TOKEN;
}

static const char *method_of(const struct route *route)
{
    return route->method == HTTP_POST ? "POST" : route->method == HTTP_PUT ? "PUT" : route->method == HTTP_DELETE ? "DELETE" : "GET";
}

static struct http_call call_of(const struct route *route, const struct buf *path, const struct buf *body)
{
    /* The inner address: nginx's own limits are not what is tried here, nor its brake on logins. */
    struct http_call call = {.base = world.internal_url, .method = method_of(route), .path = buf_text(path),
                             .token = needs_token(route) ? world.token : NULL};
    if (body != NULL) {
        call.body = buf_text(body);
        call.body_len = body->len;
    }
    return call;
}

static void send_body(const struct route *route, const struct buf *body, const char *type, const struct cost_limits *limits, const char *what)
{
    struct buf path = {0};
    hostile_path(&path, route, NULL);
    struct http_call call = call_of(route, &path, body);
    call.type = type;
    cost_send(route, &call, limits, what);
    buf_free(&path);
}

static void test_json_bodies(void)
{
    hostile_begin();
    for (size_t r = 0; r < n_routes; r++) {
        const struct route *route = &routes[r];
        for (enum filling f = 0; route->bodies != 0 && f < FILL__MAX; f++) {
            char what[256];
            struct buf alone = {0}, member = {0};
            snprintf(what, sizeof what, "%s %s: %s", method_of(route), route->pattern, filling_names[f]);
            fill(&alone, f, route->body_limit);
            CHECK(alone.len <= route->body_limit && alone.len > route->body_limit / 10 * 9, "%s: %zu bytes", what, alone.len);
            send_body(route, &alone, NULL, &refused, what);
            buf_adds(&member, "{\"a\":");
            fill(&member, f, route->body_limit - 6);
            buf_adds(&member, "}");
            send_body(route, &member, NULL, &refused, what);
            buf_free(&alone);
            buf_free(&member);
        }
    }
}

static void test_too_large(void)
{
    hostile_begin();
    for (size_t r = 0; r < n_routes; r++) {
        const struct route *route = &routes[r];
        if (route->bodies == 0)
            continue;
        static const struct cost_limits too_large = {.status_min = 413, .status_max = 413};
        struct buf body = {0};
        fill(&body, FILL_STRING, route->body_limit + 1);
        send_body(route, &body, NULL, &too_large, route->pattern);
        /* From outside nginx says the same. */
        struct buf path = {0};
        hostile_path(&path, route, NULL);
        struct http_call call = call_of(route, &path, &body);
        call.base = NULL;
        struct answer a = api_call(&call);
        check_problem(&a, 413, route->pattern);
        api_free(&a);
        buf_free(&path);
        buf_free(&body);
    }
}

static void test_forms(void)
{
    hostile_begin();
    static const struct {
        const char *type, *head, *piece;
    } rows[] = {
        {"application/x-www-form-urlencoded", "", "a&"},
        {"application/x-www-form-urlencoded", "username=", "%01"},
        {"application/x-www-form-urlencoded", "username=a&password=", "a"},
        {"application/x-www-form-urlencoded", "", "&"},
        {"application/x-www-form-urlencoded", "", "a=%"},
        {"multipart/form-data; boundary=b", "", "--b\r\n"},
        {"multipart/form-data; boundary=b", "--b\r\n\r\n", "--b\r\n\r\n"},
        {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n", "\r\n--b"},
        {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"", "a"},
        {"multipart/form-data; boundary=b", "--b\r\n", "a:b\r\n"},
    };
    for (size_t r = 0; r < n_routes; r++) {
        const struct route *route = &routes[r];
        for (size_t i = 0; (route->bodies & 1u << BODY_URLENCODED) != 0 && i < sizeof rows / sizeof rows[0]; i++) {
            char what[256];
            struct buf body = {0};
            snprintf(what, sizeof what, "%s %s%s…", rows[i].type, rows[i].head, rows[i].piece);
            buf_adds(&body, rows[i].head);
            while (body.len + strlen(rows[i].piece) <= route->body_limit)
                buf_adds(&body, rows[i].piece);
            send_body(route, &body, rows[i].type, &refused, what);
            buf_free(&body);
        }
    }
}

/* Adds a query string of n parameters with size control characters each. */
static void add_query(struct buf *path, int n, int size)
{
    buf_addc(path, '?');
    for (int i = 0; i < n; i++) {
        buf_addf(path, "%s%da=", i > 0 ? "&" : "", i);
        for (int c = 0; c < size; c++)
            buf_adds(path, "%01");
    }
}

/* Segments of the path as long as a path may be, and longer; and as much query as nginx passes on. */
static void test_paths(void)
{
    hostile_begin();
    static const struct cost_limits either = {.status_min = 200, .status_max = 499, .statements_max = STATEMENTS_OF_REFUSAL + 2};
    /* A change asks inside its transaction: BEGIN and ROLLBACK come on top. */
    static const struct cost_limits not_found = {.status_min = 400, .status_max = 499, .statements_max = STATEMENTS_OF_REFUSAL + 2};
    static const int sizes[] = {1200, 4000};
    for (size_t r = 0; r < n_routes; r++) {
        const struct route *route = &routes[r];
        struct buf path = {0};
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            struct buf name = {0};
            int captured = 0;
            for (const char *at = route->pattern; (at = strchr(at, '{')) != NULL; at++)
                captured++;
            for (int i = 0; captured > 0 && i < sizes[s] / captured; i++)
                buf_adds(&name, "%01");
            buf_clear(&path);
            hostile_path(&path, route, buf_text(&name));
            struct http_call call = call_of(route, &path, NULL);
            /* Of a path over 4 KiB the API looks for no route. */
            if (captured > 0)
                cost_send(s == 0 ? route : NULL, &call, &not_found, route->pattern);
            buf_free(&name);
        }
        for (int kind = 0; kind < 2 && route->method == HTTP_GET && needs_token(route); kind++) {
            buf_clear(&path);
            hostile_path(&path, route, NULL);
            add_query(&path, kind == 0 ? 31 : 1, kind == 0 ? 120 : 3900);
            struct http_call call = call_of(route, &path, NULL);
            cost_send(route, &call, &either, route->pattern);
        }
        buf_free(&path);
    }
}

/* Without a token nothing is read and nothing is asked; with one that may not in, the faults are not told. */
static void test_strangers(void)
{
    hostile_begin();
    struct buf body = {0};
    for (int i = 0; i < 150; i++)
        buf_addf(&body, "%s\"x%d\":1", i > 0 ? "," : "{", i);
    buf_addc(&body, '}');
    for (size_t r = 0; r < n_routes; r++) {
        const struct route *route = &routes[r];
        if (!needs_token(route))
            continue;
        static const struct cost_limits nothing = {.status_min = 401, .status_max = 401};
        struct buf path = {0};
        hostile_path(&path, route, NULL);
        struct http_call call = call_of(route, &path, route->bodies != 0 ? &body : NULL);
        call.token = NULL;
        cost_send(route, &call, &nothing, route->pattern);
        if (route->bodies != 0) {
            static const struct {
                const char *what;
                const char **token;
                long status;
            } strangers[] = {{"a token of another user", &world.other_token, 404}, {"a token that may read", &world.read_token, 403}};
            for (size_t s = 0; s < sizeof strangers / sizeof strangers[0]; s++) {
                call.token = *strangers[s].token;
                struct answer a = api_call(&call);
                check_problem(&a, strangers[s].status, strangers[s].what);
                CHECK(doc_len(a.json, "errors") == 0, "%s learns of faults: %s", strangers[s].what, a.raw.body);
                api_free(&a);
            }
            call.token = "sk_0000000000000000000000000000000000000000000";
            cost_send(route, &call, &(struct cost_limits){.status_min = 401, .status_max = 401, .statements_max = 1}, route->pattern);
        }
        buf_free(&path);
    }
    buf_free(&body);
}

const struct check_test tests_bodies[] = {
    {"JSON bodies of every route", test_json_bodies}, {"one byte too many", test_too_large}, {"forms", test_forms},
    {"paths and queries", test_paths}, {"whoever may not in", test_strangers}, {0},
};
