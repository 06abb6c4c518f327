/* What went wrong with a request. */
#include "fcgi/problem.h"

#include <stdlib.h>
#include <string.h>

/* Enough to mend a request by; the rest is counted. */
#define ERRORS_MAX 100

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
    buf_clear(&p->detail);
    buf_clear(&p->errors);
}

void problem_set(struct problem *p, enum problem_kind kind, const char *fmt, ...)
{
    if (p->kind != PROBLEM_NONE)
        return;
    p->kind = kind;
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(&p->detail, fmt, ap);
    va_end(ap);
}

void problem_add(struct problem *p, const char *field, const char *fmt, ...)
{
    problem_set(p, PROBLEM_INVALID, "Nothing was changed; errors names each fault.");
    if (p->n_errors++ >= ERRORS_MAX)
        return;
    struct buf detail = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(&detail, fmt, ap);
    va_end(ap);
    if (p->n_errors > 1)
        buf_addc(&p->errors, ',');
    buf_adds(&p->errors, "{\"field\":");
    buf_add_json(&p->errors, field, strlen(field));
    buf_adds(&p->errors, ",\"detail\":");
    buf_add_json(&p->errors, buf_text(&detail), detail.len);
    buf_addc(&p->errors, '}');
    buf_free(&detail);
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
    if (p->n_errors > ERRORS_MAX) {
        struct buf detail = {0};
        buf_addf(&detail, "%s There are %d faults; the first %d are named.", buf_text(&p->detail), p->n_errors,
                 ERRORS_MAX);
        buf_add_json(out, buf_text(&detail), detail.len);
        buf_free(&detail);
    } else {
        buf_add_json(out, buf_text(&p->detail), p->detail.len);
    }
    buf_adds(out, ",\"request_id\":");
    buf_add_json(out, request_id, strlen(request_id));
    buf_addf(out, ",\"errors\":[%s]}", buf_text(&p->errors));
}
