/* The reference documentation, made of the rows of routes and fields. */
#include "fcgi/reference.h"

#include <string.h>

#include "fcgi/route.h"
#include "fcgi/service_fields.h"

static const char *method_name(enum http_method method)
{
    static const char *const names[HTTP_METHOD__MAX] = {
        [HTTP_GET] = "GET", [HTTP_POST] = "POST", [HTTP_PUT] = "PUT", [HTTP_DELETE] = "DELETE",
        [HTTP_OPTIONS] = "OPTIONS", [HTTP_OTHER] = "",
    };
    return names[method];
}

static void render_routes(struct buf *out)
{
    static const char *const needs[ROUTE__MAX] = {
        [ROUTE_DENIED] = "-", [ROUTE_PUBLIC] = "nothing", [ROUTE_INTERNAL] = "the internal listener",
        [ROUTE_TOKEN] = "a token", [ROUTE_READ] = "read", [ROUTE_WRITE] = "write",
    };
    buf_adds(out, "## Routes\n\n| method | path | needs | body, at most | does |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < n_routes; i++) {
        const struct route *r = &routes[i];
        buf_addf(out, "| %s | `%s/%s%s%s` | %s | ", method_name(r->method), r->pattern, r->query != NULL ? "?" : "",
                 r->query != NULL ? r->query : "", r->query != NULL ? "=" : "", needs[r->access]);
        if (r->bodies != 0)
            buf_addf(out, "%zu KiB, %u values ", r->body_limit / 1024, r->values_max);
        buf_addf(out, "| %s |\n", r->help);
    }
}

static void render_type(struct buf *out, const struct field *f)
{
    static const char *const names[FIELD__MAX] = {
        [FIELD_TEXT] = "string", [FIELD_INTEGER] = "whole number", [FIELD_NUMBER] = "number", [FIELD_BOOLEAN] = "boolean",
        [FIELD_CHOICE] = "one of",
        [FIELD_OBJECT] = "object", [FIELD_MAP] = "object of strings", [FIELD_ARRAY] = "array of objects",
        [FIELD_IGNORED] = "",
    };
    buf_adds(out, f->type == FIELD_IGNORED ? f->refusal != NULL ? "null" : "anything" : names[f->type]);
    for (int i = 0; f->choices != NULL && f->choices[i] != NULL; i++)
        buf_addf(out, "%s `%s`", i > 0 ? "," : "", f->choices[i]);
    if (f->type == FIELD_INTEGER || f->type == FIELD_NUMBER)
        buf_addf(out, ", %.15g to %.15g", f->min, f->max);
    else if (f->max > 0)
        buf_addf(out, ", at most %.0f %s", f->max, f->type == FIELD_TEXT ? "bytes" : "entries");
}

static void render_fields(struct buf *out, const struct field *fields, size_t n, const char *prefix)
{
    for (size_t i = 0; i < n; i++) {
        const struct field *f = &fields[i];
        buf_addf(out, "| `%s%s` | ", prefix, f->name);
        render_type(out, f);
        if (f->required)
            buf_adds(out, " | required");
        else if (f->fallback != NULL)
            buf_addf(out, " | `%s`", f->fallback);
        else
            buf_adds(out, " | ");
        buf_addf(out, " | %s |\n", f->help);
        if (f->fields != NULL) {
            struct buf inner = {0};
            buf_addf(&inner, "%s%s%s.", prefix, f->name, f->type == FIELD_ARRAY ? "[]" : "");
            render_fields(out, f->fields, f->n_fields, buf_text(&inner));
            buf_free(&inner);
        }
    }
}

void reference_render(struct buf *out)
{
    render_routes(out);
    buf_adds(out, "\n## Fields of a service\n\n| field | type | default | meaning |\n|---|---|---|---|\n");
    render_fields(out, service_fields, service_n_fields, "");
}
