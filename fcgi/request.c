/* One HTTP request: reading it, and sending the answer. */
#include "fcgi/request.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uuid/uuid.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/secret.h"
#include "fcgi/json_read.h"
#include "fcgi/json_space.h"
#include "fcgi/route.h"

#define PATH_MAX_BYTES 4096
#define TOKEN_MAX_BYTES 512
/* Handed to libfcgi at once, which writes 8 KiB at a time. */
#define PIECE_BYTES 8192

const char *request_parameter(const struct request *rq, const char *name)
{
    const char *value = FCGX_GetParam(name, rq->fcgi->envp);
    return value != NULL ? value : "";
}

static enum http_method method_of(const char *name, bool *head)
{
    static const struct {
        const char *name;
        enum http_method method;
    } methods[] = {{"GET", HTTP_GET}, {"HEAD", HTTP_GET}, {"POST", HTTP_POST},
                   {"PUT", HTTP_PUT}, {"DELETE", HTTP_DELETE}, {"OPTIONS", HTTP_OPTIONS}};
    *head = strcmp(name, "HEAD") == 0;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (strcmp(name, methods[i].name) == 0)
            return methods[i].method;
    }
    return HTTP_OTHER;
}

static bool id_acceptable(const char *id)
{
    size_t n = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    return n > 0 && n < REQUEST_ID_SIZE && id[n] == '\0';
}

/* The id that nginx or the client gave it, or a new one. */
static void request_identify(struct request *rq)
{
    const char *given = request_parameter(rq, "HTTP_X_REQUEST_ID");
    if (id_acceptable(given)) {
        snprintf(rq->id, sizeof rq->id, "%s", given);
    } else {
        uuid_t uuid;
        uuid_generate_random(uuid);
        uuid_unparse_lower(uuid, rq->id);
    }
    log_set(LOG_FIELD_REQUEST, rq->id);
}

/* Splits the raw path at its slashes and decodes each piece by itself, so that %2f never becomes one. */
static void request_split_path(struct request *rq, const char *path, size_t len)
{
    if (len == 0 || path[0] != '/') {
        problem_set(&rq->problem, PROBLEM_BAD_REQUEST, "The path must begin with a slash.");
        return;
    }
    if (len > PATH_MAX_BYTES) {
        problem_set(&rq->problem, PROBLEM_NOT_FOUND, "No such resource: paths here are much shorter.");
        return;
    }
    size_t at = 1;
    while (at < len) {
        const char *slash = memchr(path + at, '/', len - at);
        size_t n = slash != NULL ? (size_t)(slash - path) - at : len - at;
        if (n == 0) { /* several slashes are one */
            at++;
            continue;
        }
        char *segment = form_decode(path + at, n, false);
        if (segment == NULL) {
            problem_set(&rq->problem, PROBLEM_BAD_REQUEST, "The path is not valid percent-encoded UTF-8.");
            return;
        }
        if (strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0)
            problem_set(&rq->problem, PROBLEM_BAD_REQUEST, "The path must not contain . or .. as a segment.");
        else if (rq->n_segments == REQUEST_SEGMENTS_MAX)
            problem_set(&rq->problem, PROBLEM_NOT_FOUND, "No such resource.");
        if (rq->problem.kind != PROBLEM_NONE) {
            free(segment);
            return;
        }
        rq->segments[rq->n_segments++] = segment;
        at += n + 1; /* a trailing slash ends the loop */
    }
}

/* Takes the token out of the Authorization header; only its hash is kept. */
static void request_take_token(struct request *rq)
{
    const char *header = request_parameter(rq, "HTTP_AUTHORIZATION");
    const char *token = strchr(header, ' ');
    size_t scheme = token != NULL ? (size_t)(token - header) : 0;
    if (!(scheme == 5 && strncasecmp(header, "Token", 5) == 0) && !(scheme == 6 && strncasecmp(header, "Bearer", 6) == 0))
        return;
    token += strspn(token, " ");
    size_t len = strcspn(token, " ");
    if (len == 0 || len > TOKEN_MAX_BYTES || token[len + strspn(token + len, " ")] != '\0')
        return;
    unsigned char hash[SECRET_HASH_SIZE];
    secret_hash_token(token, len, hash);
    memcpy(rq->token_hash, "\\x", 2);
    for (size_t i = 0; i < sizeof hash; i++)
        snprintf(rq->token_hash + 2 + 2 * i, 3, "%02x", hash[i]);
}

void request_open(struct request *rq, FCGX_Request *fcgi)
{
    rq->fcgi = fcgi;
    request_identify(rq);
    rq->method = method_of(request_parameter(rq, "REQUEST_METHOD"), &rq->head);
    rq->internal = strcmp(request_parameter(rq, "SKYLARK_LISTENER"), "internal") == 0;
    rq->address = request_parameter(rq, "REMOTE_ADDR");
    const char *uri = request_parameter(rq, "REQUEST_URI");
    size_t path_len = strcspn(uri, "?#");
    request_split_path(rq, uri, path_len);
    const char *fault = NULL;
    if (uri[path_len] == '?' && rq->problem.kind == PROBLEM_NONE &&
        form_parse_urlencoded(&rq->query, uri + path_len + 1, strlen(uri + path_len + 1), &fault) != 0)
        problem_set(&rq->problem, PROBLEM_BAD_REQUEST, "The query string can't be read: %s.", fault);
    request_take_token(rq);
}

void request_close(struct request *rq)
{
    for (size_t i = 0; i < rq->n_segments; i++)
        free(rq->segments[i]);
    arena_free(&rq->arena);
    form_free(&rq->query);
    buf_free(&rq->body);
    problem_free(&rq->problem);
    buf_free(&rq->headers);
    buf_free(&rq->reply);
}

static enum body_kind body_kind_of(const char *content_type)
{
    static const struct {
        const char *type;
        enum body_kind kind;
    } kinds[] = {{"application/json", BODY_JSON},
                 {"application/x-www-form-urlencoded", BODY_URLENCODED},
                 {"multipart/form-data", BODY_MULTIPART}};
    if (content_type[0] == '\0')
        return BODY_JSON; /* clients that say nothing mean what the API speaks */
    size_t n = strcspn(content_type, "; \t");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strlen(kinds[i].type) == n && strncasecmp(content_type, kinds[i].type, n) == 0)
            return kinds[i].kind;
    }
    return BODY_OTHER;
}

void request_read_body(struct request *rq, unsigned kinds, size_t limit)
{
    long length = strtol(request_parameter(rq, "CONTENT_LENGTH"), NULL, 10);
    if (length <= 0)
        return;
    if ((size_t)length > limit) {
        problem_set(&rq->problem, PROBLEM_TOO_LARGE, "The body has %ld bytes; at most %zu are taken.", length, limit);
        return;
    }
    rq->body_kind = body_kind_of(request_parameter(rq, "CONTENT_TYPE"));
    if ((kinds & 1u << rq->body_kind) == 0) {
        problem_set(&rq->problem, PROBLEM_MEDIA_TYPE, "%s", (kinds & 1u << BODY_URLENCODED) != 0
                        ? "The Content-Type must be application/json, application/x-www-form-urlencoded or "
                          "multipart/form-data."
                        : "The Content-Type must be application/json.");
        return;
    }
    char piece[16384];
    size_t left = (size_t)length;
    while (left > 0) {
        int n = FCGX_GetStr(piece, (int)(left < sizeof piece ? left : sizeof piece), rq->fcgi->in);
        if (n <= 0)
            break;
        buf_add(&rq->body, piece, (size_t)n);
        left -= (size_t)n;
    }
    if (left > 0)
        problem_set(&rq->problem, PROBLEM_BAD_REQUEST, "The body ended %zu bytes too early.", left);
    else if (rq->body.failed)
        problem_set(&rq->problem, PROBLEM_INTERNAL, "Out of memory.");
}

static bool json_fault(void *context, const char *path, const char *detail)
{
    struct request *rq = context;
    problem_add(&rq->problem, path, "%s", detail);
    return !problem_full(&rq->problem);
}

void request_put_json(void *object)
{
    json_object_put(object);
}

struct json_object *request_json(struct request *rq)
{
    static const char empty[] = "{}";
    bool none = rq->body.len == 0;
    struct json_object *json;
    if (json_read(none ? empty : rq->body.data, none ? 2 : rq->body.len, rq->route->values_max, json_fault, rq, &json) > 0)
        return NULL;
    if (!json_object_is_type(json, json_type_object)) {
        problem_add(&rq->problem, "", "the body must be a JSON object");
        json_object_put(json);
        return NULL;
    }
    return arena_own(&rq->arena, request_put_json, json) ? json : NULL;
}

void request_reset_response(struct request *rq)
{
    problem_clear(&rq->problem);
    rq->status = rq->content_type = NULL;
    buf_clear(&rq->headers);
    buf_clear(&rq->reply);
}

/* Waits until a piece can be written without waiting for the peer: a socket that polls as writable has room for it. Returns false
 * when the deadline has passed. */
static bool output_wait(struct request *rq, int64_t deadline_ms)
{
    struct pollfd p = {.fd = rq->fcgi->ipcFd, .events = POLLOUT};
    for (;;) {
        int64_t left = deadline_ms - clock_monotonic_ms();
        int n = poll(&p, 1, left > 0 ? (int)left : 0);
        if (n > 0)
            return true; /* a peer that is gone as well: writing will tell */
        if (n == 0 || errno != EINTR)
            return false;
    }
}

/* The one way out of a worker. The deadline is for the whole answer, so a peer that takes a byte a second can't hold the worker. */
static void send_bytes(struct request *rq, int64_t deadline_ms, const char *data, size_t len)
{
    while (len > 0 && !rq->broken) {
        size_t piece = len < PIECE_BYTES ? len : PIECE_BYTES;
        if (!output_wait(rq, deadline_ms)) {
            log_warning("the answer was not taken within %" PRId64 " ms and is cut off", rq->settings->answer_deadline_ms);
            rq->broken = true;
        } else if (FCGX_PutStr(data, (int)piece, rq->fcgi->out) < 0) {
            rq->broken = true;
        }
        data += piece;
        len -= piece;
    }
}

/* The reply, JSON in the form of blanks that all of Skylark's has. */
static void send_reply(struct request *rq, int64_t deadline_ms, bool json)
{
    if (!json) {
        send_bytes(rq, deadline_ms, rq->reply.data, rq->reply.len);
        return;
    }
    struct json_space state = {0};
    const char *at = rq->reply.data, *end = at + rq->reply.len;
    char piece[PIECE_BYTES];
    while (at < end && !rq->broken)
        send_bytes(rq, deadline_ms, piece, json_space(&state, &at, end, piece, sizeof piece));
}

static void send_answer(struct request *rq, const char *status, const char *content_type, bool json)
{
    int64_t deadline_ms = clock_monotonic_ms() + rq->settings->answer_deadline_ms;
    struct buf head = {0};
    buf_addf(&head, "Status: %s\r\nX-Request-Id: %s\r\nCache-Control: no-store\r\n", status, rq->id);
    if (content_type != NULL)
        buf_addf(&head, "Content-Type: %s\r\n", content_type);
    buf_adds(&head, buf_text(&rq->headers));
    buf_adds(&head, "\r\n");
    rq->broken = head.failed;
    send_bytes(rq, deadline_ms, head.data, head.len);
    if (!rq->head && rq->reply.len > 0)
        send_reply(rq, deadline_ms, json);
    /* What libfcgi still holds. */
    if (!rq->broken && (!output_wait(rq, deadline_ms) || FCGX_FFlush(rq->fcgi->out) < 0))
        rq->broken = true;
    buf_free(&head);
}

void request_respond(struct request *rq)
{
    if (rq->reply.failed || rq->headers.failed || rq->arena.failed)
        problem_set(&rq->problem, PROBLEM_INTERNAL, "Out of memory.");
    const char *status = rq->status != NULL ? rq->status : "200 OK";
    const char *content_type = rq->content_type != NULL ? rq->content_type : "application/json";
    if (rq->problem.kind != PROBLEM_NONE) {
        buf_clear(&rq->reply);
        problem_document(&rq->problem, rq->id, &rq->reply);
        status = problem_status(rq->problem.kind);
        content_type = "application/problem+json";
        if (rq->problem.retry_after > 0)
            buf_addf(&rq->headers, "Retry-After: %d\r\n", rq->problem.retry_after);
        if (rq->problem.kind == PROBLEM_UNAUTHORIZED)
            buf_adds(&rq->headers, "WWW-Authenticate: Token realm=\"skylark\"\r\n");
    }
    bool json = strcmp(content_type, "application/json") == 0 || strcmp(content_type, "application/problem+json") == 0;
    if (rq->reply.len == 0)
        content_type = NULL;
    else
        buf_addf(&rq->headers, "Content-Length: %zu\r\n",
                 json ? json_space_size(rq->reply.data, rq->reply.len) : rq->reply.len);
    send_answer(rq, status, content_type, json);
}

void request_db_problem(struct request *rq, enum db_status status)
{
    switch (status) {
    case DB_OK:
        return;
    case DB_RETRY:
        rq->deadlocked = true;
        /* fall through */
    case DB_AWAY:
        problem_set(&rq->problem, PROBLEM_UNAVAILABLE, "%s",
                    db_condition_words(rq->db) != NULL ? db_condition_words(rq->db)
                                                       : "The database is not available; nothing was changed.");
        rq->problem.retry_after = (db_backoff_ms(rq->db) + 999) / 1000;
        break;
    case DB_SCHEMA:
        problem_set(&rq->problem, PROBLEM_UNAVAILABLE, "The database's schema is not the one this server knows.");
        break;
    case DB_UNKNOWN:
        problem_set(&rq->problem, PROBLEM_UNAVAILABLE,
                    "The database went away while it saved the change; look whether it took effect.");
        break;
    case DB_CONFLICT:
        problem_set(&rq->problem, PROBLEM_CONFLICT, "In conflict with what is there (%s).", db_constraint(rq->db));
        return;
    case DB_REFUSED:
        if (strncmp(db_constraint(rq->db), "quota_", strlen("quota_")) == 0) { /* skylark.quota_check */
            problem_set(&rq->problem, PROBLEM_QUOTA, "%s", db_message(rq->db));
            return;
        }
        problem_set(&rq->problem, PROBLEM_INVALID, "The database refused a value: %s", db_message(rq->db));
        log_warning("a value passed the checks and was refused by PostgreSQL: %s", db_message(rq->db));
        return;
    case DB_FAILED:
    case DB__MAX:
        problem_set(&rq->problem, PROBLEM_INTERNAL, "The server met an error of its own; its log has it by request_id.");
        return;
    }
    if (rq->problem.retry_after < 1)
        rq->problem.retry_after = 1;
}
