/* What went wrong with a request. */
#include "fcgi/problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

static const struct {
    int code;
    const char *status;
    const char *type;
    const char *title;
} kinds[PROBLEM__MAX] = {
    [PROBLEM_NONE] = {200, "200 OK", "", ""},
    [PROBLEM_BAD_REQUEST] = {400, "400 Bad Request", "bad-request", "The request can't be read"},
    [PROBLEM_INVALID] = {400, "400 Bad Request", "invalid-input", "The request has faults"},
    [PROBLEM_UNAUTHORIZED] = {401, "401 Unauthorized", "unauthorized", "Not logged in"},
    [PROBLEM_FORBIDDEN] = {403, "403 Forbidden", "forbidden", "Not allowed"},
    [PROBLEM_QUOTA] = {403, "403 Forbidden", "quota-exceeded", "A quota is exceeded"},
    [PROBLEM_NOT_FOUND] = {404, "404 Not Found", "not-found", "Not found"},
    [PROBLEM_METHOD] = {405, "405 Method Not Allowed", "method-not-allowed", "Method not allowed"},
    [PROBLEM_CONFLICT] = {409, "409 Conflict", "conflict", "In conflict with what is there"},
    [PROBLEM_TOO_LARGE] = {413, "413 Content Too Large", "too-large", "The body is too large"},
    [PROBLEM_MEDIA_TYPE] = {415, "415 Unsupported Media Type", "unsupported-media-type", "Unsupported media type"},
    [PROBLEM_TOO_MANY] = {429, "429 Too Many Requests", "too-many-requests", "Too many requests"},
    [PROBLEM_INTERNAL] = {500, "500 Internal Server Error", "internal", "A defect of the server"},
    [PROBLEM_UNAVAILABLE] = {503, "503 Service Unavailable", "unavailable", "Not available at the moment"},
};

void problem_free(struct problem *p)
{
    buf_free(&p->detail);
    buf_free(&p->errors);
    *p = (struct problem){0};
}

void problem_clear(struct problem *p)
{
    p->kind = PROBLEM_NONE;
    p->n_errors = p->retry_after = 0;
    p->more = false;
    buf_clear(&p->detail);
    buf_clear(&p->errors);
}

/* How much of a text is kept when it is cut at max bytes: no sequence of UTF-8 is cut in two. */
static size_t cut(const char *text, size_t len, size_t max)
{
    if (len <= max)
        return len;
    for (size_t back = 1; back <= 4; back++) {
        size_t n = utf8_sequence(text + max - back, len - (max - back));
        if (n > 0)
            return n <= back ? max - back + n : max - back;
    }
    return max;
}

/* Adds a text as a JSON string, cut at max bytes, and an ellipsis if it was. */
static void add_text(struct buf *out, const char *text, size_t max)
{
    size_t len = strnlen(text, max + 4), kept = cut(text, len, max);
    if (kept == len) {
        buf_add_json(out, text, len);
        return;
    }
    struct buf shown = {0};
    buf_add(&shown, text, kept);
    buf_adds(&shown, "…");
    buf_add_json(out, buf_text(&shown), shown.len);
    buf_free(&shown);
}

void problem_set(struct problem *p, enum problem_kind kind, const char *fmt, ...)
{
    if (p->kind != PROBLEM_NONE)
        return;
    p->kind = kind;
    char text[PROBLEM_DETAIL_MAX + 8];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    buf_adds(&p->detail, text);
}

void problem_add(struct problem *p, const char *field, const char *fmt, ...)
{
    problem_set(p, PROBLEM_INVALID, "Nothing was changed; errors names each fault.");
    if (p->n_errors == PROBLEM_ERRORS_MAX || p->errors.len >= PROBLEM_ERRORS_SIZE) {
        p->more = true;
        return;
    }
    char text[PROBLEM_FAULT_MAX + 8];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    buf_adds(&p->errors, p->n_errors++ > 0 ? ",{\"field\":" : "{\"field\":");
    add_text(&p->errors, field, PROBLEM_FIELD_MAX);
    buf_adds(&p->errors, ",\"detail\":");
    add_text(&p->errors, text, PROBLEM_FAULT_MAX);
    buf_addc(&p->errors, '}');
}

bool problem_full(const struct problem *p)
{
    return p->more;
}

const char *problem_status(enum problem_kind kind)
{
    return kinds[kind].status;
}

int problem_code(enum problem_kind kind)
{
    return kinds[kind].code;
}

void problem_document(const struct problem *p, const char *request_id, struct buf *out)
{
    buf_addf(out, "{\"type\":\"urn:skylark:problem:%s\",\"title\":\"%s\",\"status\":%d,\"detail\":",
             kinds[p->kind].type, kinds[p->kind].title, kinds[p->kind].code);
    if (p->more)
        buf_addf(out, "\"Nothing was changed; errors names the first %d faults, and there are more.\"", p->n_errors);
    else
        add_text(out, buf_text(&p->detail), PROBLEM_DETAIL_MAX);
    buf_adds(out, ",\"request_id\":");
    buf_add_json(out, request_id, strlen(request_id));
    buf_addf(out, ",\"errors\":[%s]}", buf_text(&p->errors));
}
