/* Every row of the table of fields: values of every kind in its place; many equal entries; and the largest that is taken. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/service_fields.h"
#include "tests/hostile/hostile.h"
#include "tests/lib/api.h"
#include "tests/lib/world.h"

#define STATEMENTS_OF_REFUSAL 2
/* BEGIN, the checks, a statement for each table, the event, the document, COMMIT. */
#define STATEMENTS_OF_CHANGE 24

static const struct route *route_to(enum http_method method, const char *pattern)
{
    for (size_t r = 0; r < n_routes; r++) {
        if (routes[r].method == method && strcmp(routes[r].pattern, pattern) == 0)
            return &routes[r];
    }
    return NULL;
}

/* POST, and PUT, of a body. */
static void send_both(const struct buf *body, const struct cost_limits *limits, const char *what)
{
    const struct route *create = route_to(HTTP_POST, "/v1/services/{namespace}"),
                       *update = route_to(HTTP_PUT, "/v1/services/{namespace}/{name}");
    REQUIRE(create != NULL && update != NULL, "the routes");
    struct http_call call = {.method = "POST", .path = "/v1/services/" SPACE "/", .token = world.token, .body = buf_text(body),
                             .body_len = body->len};
    if (cost_send(create, &call, limits, what) == 201)
        CHECK(api_status("DELETE", NULL, "/v1/services/" SPACE "/" CREATED "/") == 204, "%s: delete", what);
    call.method = "PUT";
    call.path = "/v1/services/" SPACE "/" SERVICE "/";
    cost_send(update, &call, limits, what);
}

/* Where a row's value stands in a body: what comes before and after it. */
struct place {
    struct buf before, after;
};

static void place_free(struct place *p)
{
    buf_free(&p->before);
    buf_free(&p->after);
}

/* Adds the members that a new service needs, but for the one called name. */
static void add_needed(struct buf *out, const char *name)
{
    if (strcmp(name, "service_name") != 0 && strcmp(name, "app_name") != 0)
        buf_adds(out, "\"service_name\":\"" CREATED "\",");
    if (strcmp(name, "image_name") != 0)
        buf_adds(out, "\"image_name\":\"localhost/none\",");
    if (strcmp(name, "target_state") != 0)
        buf_adds(out, "\"target_state\":\"STOPPED\",");
}

static void send_value(const struct place *p, enum filling f, const char *name, const struct cost_limits *limits)
{
    char what[256];
    struct buf body = {0};
    const struct route *create = route_to(HTTP_POST, "/v1/services/{namespace}");
    snprintf(what, sizeof what, "%s: %s", name, filling_names[f]);
    buf_adds(&body, buf_text(&p->before));
    fill(&body, f, create->body_limit - p->before.len - p->after.len);
    buf_adds(&body, buf_text(&p->after));
    send_both(&body, limits, what);
    buf_free(&body);
}

static void try_rows(const struct field *fields, size_t n, const struct place *outer, const char *prefix)
{
    for (size_t i = 0; i < n; i++) {
        const struct field *f = &fields[i];
        struct place p = {0};
        char name[128];
        snprintf(name, sizeof name, "%s%s", prefix, f->name);
        buf_adds(&p.before, outer != NULL ? buf_text(&outer->before) : "{");
        if (outer == NULL)
            add_needed(&p.before, f->name);
        buf_addf(&p.before, "\"%s\":", f->name);
        buf_adds(&p.after, outer != NULL ? buf_text(&outer->after) : "}");
        for (enum filling v = 0; v < FILL__MAX; v++) {
            /* A null, and what is only accepted, may be taken. */
            bool taken = v == FILL_BLANKS || f->type == FIELD_IGNORED;
            send_value(&p, v, name,
                       &(struct cost_limits){.status_min = taken ? 200 : 400, .status_max = 499, .document = taken,
                                             .statements_max = taken ? STATEMENTS_OF_CHANGE : STATEMENTS_OF_REFUSAL});
        }
        if (f->type == FIELD_MAP || f->type == FIELD_ARRAY || f->type == FIELD_OBJECT) {
            struct place inner = {0};
            buf_addf(&inner.before, "%s%s", buf_text(&p.before), f->type == FIELD_MAP ? "{\"a\":" : f->type == FIELD_ARRAY ? "[{" : "{");
            buf_addf(&inner.after, "%s%s", f->type == FIELD_ARRAY ? "}]" : "}", buf_text(&p.after));
            snprintf(name, sizeof name, "%s%s%s", prefix, f->name, f->type == FIELD_ARRAY ? "[0]." : ".");
            if (f->fields != NULL)
                try_rows(f->fields, f->n_fields, &inner, name);
            else
                for (enum filling v = 0; v < FILL_BLANKS; v++)
                    send_value(&inner, v, name,
                               &(struct cost_limits){.status_min = 400, .status_max = 499, .statements_max = STATEMENTS_OF_REFUSAL});
            place_free(&inner);
        }
        place_free(&p);
    }
}

static void test_values(void)
{
    hostile_begin();
    try_rows(service_fields, service_n_fields, NULL, "");
}

/* An entry that its rows take. */
static void add_entry(struct buf *out, const struct field *array)
{
    buf_addc(out, '{');
    for (size_t i = 0; i < array->n_fields; i++) {
        const struct field *f = &array->fields[i];
        if (!f->required)
            continue;
        buf_addf(out, "%s\"%s\":", out->data[out->len - 1] != '{' ? "," : "", f->name);
        if (f->type == FIELD_INTEGER || f->type == FIELD_NUMBER)
            buf_addf(out, "%.0f", f->min);
        else
            buf_adds(out, f->choices != NULL ? "\"\"" : "\"/data\"");
    }
    buf_addc(out, '}');
}

/* As many equal entries as are taken, one more, and as many as fit into a body; good ones and bad ones. */
static void test_equal_entries(void)
{
    hostile_begin();
    static const struct cost_limits refused = {.status_min = 400, .status_max = 499, .statements_max = STATEMENTS_OF_REFUSAL};
    for (size_t i = 0; i < service_n_fields; i++) {
        const struct field *f = &service_fields[i];
        if (f->type != FIELD_ARRAY && f->type != FIELD_MAP)
            continue;
        size_t counts[] = {(size_t)f->max, (size_t)f->max + 1, 4000, 60000};
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
            for (int good = 0; good < 2; good++) {
                char what[128];
                struct buf body = {0};
                snprintf(what, sizeof what, "%s: %zu equal %s entries", f->name, counts[c], good ? "good" : "bad");
                buf_addc(&body, '{');
                add_needed(&body, f->name);
                buf_addf(&body, "\"%s\":%c", f->name, f->type == FIELD_ARRAY ? '[' : '{');
                for (size_t n = 0; n < counts[c] && body.len < 1000000; n++) {
                    if (n > 0)
                        buf_addc(&body, ',');
                    if (f->type == FIELD_MAP)
                        buf_addf(&body, "\"k%zu\":%s", n, good ? "\"same\"" : "[]");
                    else if (good)
                        add_entry(&body, f);
                    else
                        buf_adds(&body, "1");
                }
                buf_adds(&body, f->type == FIELD_ARRAY ? "]}" : "}}");
                /* So many variables with the same value are fine. */
                bool fine = good && c == 0 && strcmp(f->name, "instance_envvars") == 0;
                send_both(&body, fine ? &(struct cost_limits){.status_min = 200, .status_max = 400, .document = true,
                                                              .statements_max = STATEMENTS_OF_CHANGE} : &refused, what);
                buf_free(&body);
            }
        }
    }
}

/* Adds the largest body that is taken: as many values of each kind as the rows allow (of volumes only if asked for: a namespace has
 * a quota of them), and a full MiB in all. */
static void add_largest(struct buf *body, const char *name, bool volumes, size_t limit)
{
    buf_addf(body, "{\"service_name\":\"%s\",", name);
    add_needed(body, "service_name");
    buf_adds(body, "\"instance_ports\":[");
    for (int i = 0; i < 100; i++)
        buf_addf(body, "%s{\"container_port\":%d,\"endpoint_type\":\"direct-endpoint\"}", i > 0 ? "," : "", i + 1);
    buf_adds(body, "],\"volumes\":[");
    for (int i = 0; volumes && i < 50; i++)
        buf_addf(body, "%s{\"app_volume_dir\":\"/data%d\",\"size_gb\":1}", i > 0 ? "," : "", i);
    buf_adds(body, "],\"instance_envvars\":{");
    size_t each = (limit - body->len - 8) / 1000;
    for (int i = 0; i < 1000; i++) {
        size_t end = body->len + each - 6;
        buf_addf(body, "%s\"V%d\":\"", i > 0 ? "," : "", i);
        while (body->len < end)
            buf_adds(body, i % 2 == 0 ? "\\\"" : "\\u0001");
        buf_adds(body, "\"");
    }
    buf_adds(body, "}}");
}

/* Large services, written and read, one and many of them. */
static void test_largest(void)
{
    enum { MANY = 12 };
    hostile_begin();
    const struct route *create = route_to(HTTP_POST, "/v1/services/{namespace}"), *update = route_to(HTTP_PUT, "/v1/services/{namespace}/{name}"),
                       *get = route_to(HTTP_GET, "/v1/services/{namespace}/{name}"), *list = route_to(HTTP_GET, "/v1/services/{namespace}");
    static const struct cost_limits changed = {.status_min = 200, .status_max = 201, .statements_max = STATEMENTS_OF_CHANGE, .document = true},
                                    is_read = {.status_min = 200, .status_max = 200, .statements_max = 3, .document = true},
                                    is_refused = {.status_min = 400, .status_max = 400, .statements_max = 3};
    REQUIRE(create != NULL && update != NULL && get != NULL && list != NULL, "the routes");
    for (int i = 0; i < MANY; i++) {
        char name[64], path[128];
        struct buf body = {0};
        snprintf(name, sizeof name, CREATED "-%d", i);
        snprintf(path, sizeof path, "/v1/services/" SPACE "/%s/", name);
        add_largest(&body, name, i == 0, create->body_limit);
        CHECK(body.len <= create->body_limit && body.len > create->body_limit / 10 * 9, "%zu bytes", body.len);
        struct http_call call = {.method = "POST", .path = "/v1/services/" SPACE "/", .token = world.token, .body = buf_text(&body),
                                 .body_len = body.len};
        cost_send(create, &call, &changed, "a large service, created");
        call.method = "PUT";
        call.path = path;
        cost_send(update, &call, &changed, "a large service, changed");
        buf_free(&body);
        cost_send(get, &(struct http_call){.path = path, .token = world.token}, &is_read, "a large service, read");
    }
    cost_send(list, &(struct http_call){.path = "/v1/services/" SPACE "/?page_size=2", .token = world.token}, &is_read, "two large services");
    cost_send(list, &(struct http_call){.path = "/v1/services/" SPACE "/", .token = world.token}, &is_refused, "many large services");
    struct answer a = api("GET", NULL, "/v1/services/" SPACE "/?name=" CREATED);
    CHECK(doc_names(a.json, "page_size"), "%.300s", a.raw.body);
    api_free(&a);
    for (int i = 0; i < MANY; i++)
        CHECK(api_status("DELETE", NULL, "/v1/services/" SPACE "/" CREATED "-%d/", i) == 204, "delete");
    hostile_end();
}

const struct check_test tests_fields[] = {
    {"values of every field", test_values}, {"many equal entries", test_equal_entries}, {"large services", test_largest}, {0},
};
