/* The API as tests use it. */
#include "tests/lib/api.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/lib/world.h"

struct answer api_call(const struct http_call *call)
{
    double end = 0;
    struct answer answer = api_call_once(call);
    while (answer.status == 429 && strcmp(doc_text(answer.json, "type"), "about:blank") == 0 && world_waiting(&end, 30)) {
        api_free(&answer);
        answer = api_call_once(call);
    }
    return answer;
}

/* Whether each key of a JSON text is followed by a colon and one blank, and by no blank before the colon. Strings are passed over:
 * what is in them is somebody's text. */
static bool spaced(const char *text, size_t len)
{
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        if (in_string && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            in_string = !in_string;
        else if (!in_string && text[i] == ':' && (text[i - 1] != '"' || i + 2 >= len || text[i + 1] != ' ' || text[i + 2] == ' '))
            return false;
    }
    return true;
}

struct answer api_call_once(const struct http_call *call)
{
    struct answer answer = {.raw = http_do(call)};
    char type[64];
    answer.status = answer.raw.status;
    http_header(&answer.raw, "Content-Type", type, sizeof type);
    bool ours = call->unix_socket == NULL; /* and not the engine's */
    if (ours && (strcmp(type, "application/json") == 0 || strcmp(type, "application/problem+json") == 0))
        CHECK(spaced(answer.raw.body, answer.raw.body_len), "%s %s: not \"key\": value: %.300s",
              call->method != NULL ? call->method : "GET", call->path, answer.raw.body);
    if (answer.raw.body_len > 0)
        answer.json = json_tokener_parse(answer.raw.body);
    return answer;
}

void api_free(struct answer *answer)
{
    json_object_put(answer->json);
    http_free(&answer->raw);
    *answer = (struct answer){0};
}

static struct answer call_path(const char *token, const char *method, const char *body, const char *path, va_list ap)
{
    char place[8192];
    vsnprintf(place, sizeof place, path, ap);
    return api_call(&(struct http_call){.method = method, .path = place, .token = token, .body = body});
}

struct answer api(const char *method, const char *body, const char *path, ...)
{
    va_list ap;
    va_start(ap, path);
    struct answer answer = call_path(world.token, method, body, path, ap);
    va_end(ap);
    return answer;
}

struct answer api_as(const char *token, const char *method, const char *body, const char *path, ...)
{
    va_list ap;
    va_start(ap, path);
    struct answer answer = call_path(token, method, body, path, ap);
    va_end(ap);
    return answer;
}

long api_status(const char *method, const char *body, const char *path, ...)
{
    va_list ap;
    va_start(ap, path);
    struct answer answer = call_path(world.token, method, body, path, ap);
    va_end(ap);
    long status = answer.status;
    api_free(&answer);
    return status;
}

struct json_object *doc_at(struct json_object *json, const char *place)
{
    while (json != NULL && *place != '\0') {
        if (*place == '[') {
            char *end;
            size_t i = strtoul(place + 1, &end, 10);
            json = json_object_is_type(json, json_type_array) ? json_object_array_get_idx(json, i) : NULL;
            place = *end == ']' ? end + 1 : end;
        } else {
            char key[128];
            size_t n = strcspn(place, ".[");
            snprintf(key, sizeof key, "%.*s", (int)n, place);
            struct json_object *value = NULL;
            if (json_object_is_type(json, json_type_object))
                json_object_object_get_ex(json, key, &value);
            json = value;
            place += n;
        }
        place += *place == '.';
    }
    return json;
}

const char *doc_text(struct json_object *json, const char *place)
{
    struct json_object *value = doc_at(json, place);
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

int64_t doc_int(struct json_object *json, const char *place)
{
    struct json_object *value = doc_at(json, place);
    return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : INT64_MIN;
}

int64_t doc_len(struct json_object *json, const char *place)
{
    struct json_object *value = doc_at(json, place);
    return json_object_is_type(value, json_type_array) ? (int64_t)json_object_array_length(value) : INT64_MIN;
}

bool doc_names(struct json_object *problem, const char *fields)
{
    struct json_object *errors = doc_at(problem, "errors");
    bool at_least = fields[0] == '*';
    size_t found = 0, wanted = 0;
    if (!json_object_is_type(errors, json_type_array))
        return false;
    for (const char *at = fields + at_least; *at != '\0';) {
        size_t n = strcspn(at, " "), before = found;
        for (size_t i = 0; i < json_object_array_length(errors) && found == before && n > 0; i++) {
            const char *field = doc_text(json_object_array_get_idx(errors, i), "field");
            /* "-" stands for the body as a whole, whose name is empty. */
            if (strlen(field) == n ? memcmp(at, field, n) == 0 : n == 1 && *at == '-' && field[0] == '\0')
                found++;
        }
        wanted += n > 0;
        at += n + (at[n] == ' ');
    }
    return found == wanted && (at_least || json_object_array_length(errors) == wanted);
}

void check_problem(const struct answer *a, long status, const char *what)
{
    char type[128], id[128];
    CHECK(a->status == status, "%s: status %ld, not %ld: %.300s %s", what, a->status, status, a->raw.body, a->raw.error);
    int types = http_header(&a->raw, "Content-Type", type, sizeof type);
    int ids = http_header(&a->raw, "X-Request-Id", id, sizeof id);
    CHECK(types == 1 && strcmp(type, "application/problem+json") == 0, "%s: %d Content-Type \"%s\"", what, types, type);
    CHECK(ids == 1 && id[0] != '\0', "%s: %d X-Request-Id \"%s\"", what, ids, id);
    REQUIRE(json_object_is_type(a->json, json_type_object), "%s: body %.300s", what, a->raw.body);
    CHECK(json_object_object_length(a->json) == 6, "%s: other keys than the six: %.300s", what, a->raw.body);
    CHECK(doc_text(a->json, "type")[0] != '\0' && doc_text(a->json, "title")[0] != '\0', "%s: %.300s", what, a->raw.body);
    CHECK(doc_int(a->json, "status") == status, "%s: status in the document: %.300s", what, a->raw.body);
    CHECK(doc_text(a->json, "detail")[0] != '\0', "%s: no detail: %.300s", what, a->raw.body);
    CHECK(strcmp(doc_text(a->json, "request_id"), id) == 0, "%s: request_id is not %s: %.300s", what, id, a->raw.body);
    REQUIRE(json_object_is_type(doc_at(a->json, "errors"), json_type_array), "%s: errors: %.300s", what, a->raw.body);
    for (int64_t i = 0; i < doc_len(a->json, "errors"); i++) {
        struct json_object *e = json_object_array_get_idx(doc_at(a->json, "errors"), (size_t)i);
        CHECK(json_object_is_type(doc_at(e, "field"), json_type_string) && doc_text(e, "detail")[0] != '\0',
              "%s: errors[%d]: %.300s", what, (int)i, a->raw.body);
    }
}
