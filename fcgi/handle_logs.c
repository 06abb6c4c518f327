/* GET of log lines, of a service or of one of its instances. An answer is a page: it is bounded and put together before its first
 * byte is sent, so neither a connection to PostgreSQL nor a snapshot waits for a client, and a failure is a problem document. The
 * header field Link leads to the lines after it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

#include "common/clock.h"
#include "common/log.h"
#include "fcgi/handlers.h"
#include "fcgi/link.h"
#include "fcgi/log_page.h"
#include "fcgi/query_check.h"
#include "fcgi/route.h"
#include "gen/api_statements.h"

#define NS_PER_SECOND ((int64_t)1000000000)
#define NS_PER_US ((int64_t)1000)
#define US_PER_SECOND ((int64_t)1000000)
#define WINDOW_DEFAULT_NS (15 * 60 * NS_PER_SECOND)
/* Lines may bear a time a little ahead of this machine's clock. */
#define AHEAD_NS (60 * NS_PER_SECOND)
#define LIMIT_MAX 1000000

/* Both statements have the same columns. */
DB_SAME_PLACE(API_LOGS_PAGE_C_INSTANCE_ID, API_LOGS_TAIL_C_INSTANCE_ID);
DB_SAME_PLACE(API_LOGS_PAGE_C_LOGGED_US, API_LOGS_TAIL_C_LOGGED_US);
DB_SAME_PLACE(API_LOGS_PAGE_C_SEQ, API_LOGS_TAIL_C_SEQ);
DB_SAME_PLACE(API_LOGS_PAGE_C_MESSAGE, API_LOGS_TAIL_C_MESSAGE);

/* Which lines are asked for. */
struct log_query {
    int64_t from_us, until_us; /* microseconds since 1970; without until */
    bool ends;                 /* at a time that was asked for and has passed: no page follows the last one */
    bool tail;                 /* only the last lines */
    int64_t lines;             /* of the page, or of the tail */
    char first[UUID_STR_LEN], last[UUID_STR_LEN]; /* of instances from one to the other */
    struct log_cursor cursor;
};

/* The time range: start_time is in it, end_time is not, so that adjoining ranges neither overlap nor leave a gap. When both are the
 * same, that second (or, with decimals, that microsecond) is meant. */
static void bind_range(struct request *rq, struct log_query *q)
{
    bool whole, ignored, ends = form_get(&rq->query, "end_time") != NULL;
    int64_t now = clock_wall_ns();
    int64_t end = query_time(rq, "end_time", now + AHEAD_NS, &whole);
    int64_t start = query_time(rq, "start_time", (ends ? end : now) - WINDOW_DEFAULT_NS, &ignored);
    q->ends = ends && end <= now;
    if (start >= end)
        end += whole ? NS_PER_SECOND : NS_PER_US;
    if (rq->problem.kind == PROBLEM_NONE && start >= end)
        problem_add(&rq->problem, "start_time", "must not be later than end_time");
    q->from_us = start / NS_PER_US;
    q->until_us = end / NS_PER_US;
}

/* Where a page begins that is not the first. */
static void bind_cursor(struct request *rq, struct log_query *q, const char *text)
{
    static const char *const first_only[] = {"start_time", "limit"};
    if (!log_cursor_decode(&q->cursor, text))
        problem_add(&rq->problem, "cursor", "must be as the Link of a page has it");
    for (size_t i = 0; i < sizeof first_only / sizeof first_only[0]; i++) {
        if (form_get(&rq->query, first_only[i]) != NULL)
            problem_add(&rq->problem, first_only[i], "is of the first page only, not to be given together with cursor");
    }
    q->from_us = q->cursor.floor_us < q->cursor.last.us ? q->cursor.floor_us : q->cursor.last.us;
}

static void bind_page(struct request *rq, struct log_query *q)
{
    const char *cursor = form_get(&rq->query, "cursor");
    q->lines = query_integer(rq, "page_size", 1, LOG_PAGE_LINES, LOG_PAGE_LINES);
    bind_range(rq, q);
    if (cursor != NULL)
        bind_cursor(rq, q, cursor);
    else
        log_cursor_start(&q->cursor, q->from_us);
    if (cursor == NULL && form_get(&rq->query, "limit") != NULL) {
        int64_t limit = query_integer(rq, "limit", 1, LIMIT_MAX, 1);
        q->tail = true;
        if (limit < q->lines)
            q->lines = limit;
    }
}

/* The uuids that begin with these digits lie between the two that end in zeros and in fs. */
static void bind_instances(struct log_query *q, const char *digits)
{
    static const char lowest[] = "00000000-0000-0000-0000-000000000000", highest[] = "ffffffff-ffff-ffff-ffff-ffffffffffff";
    size_t n = strlen(digits);
    snprintf(q->first, sizeof q->first, "%s%s", digits, lowest + n);
    snprintf(q->last, sizeof q->last, "%s%s", digits, highest + n);
}

void bind_logs(struct request *rq, const char **params)
{
    static const char *const names[] = {"start_time", "end_time", "limit", "page_size", "cursor", "instance_id", NULL};
    (void)params;
    struct log_query *q = rq->asked = arena_alloc(&rq->arena, sizeof *q);
    if (q == NULL)
        return;
    query_check_names(rq, names);
    bind_page(rq, q);
    const char *id = form_get(&rq->query, "instance_id");
    size_t n = id != NULL ? strlen(id) : 0;
    uuid_t uuid;
    if (id != NULL && (n == 36 ? uuid_parse(id, uuid) != 0 : n != 8 || strspn(id, "0123456789abcdefABCDEF") != 8))
        problem_add(&rq->problem, "instance_id", "must be the uuid of an instance or its first 8 digits");
    else
        bind_instances(q, id != NULL ? id : "");
}

void bind_instance(struct request *rq, const char **params)
{
    uuid_t uuid;
    char *text = arena_alloc(&rq->arena, UUID_STR_LEN);
    /* What is no uuid is no instance either. */
    if (uuid_parse(rq->instance_id, uuid) != 0)
        problem_set(&rq->problem, PROBLEM_NOT_FOUND, "No such instance.");
    else if (text != NULL)
        uuid_unparse_lower(uuid, text);
    params[ROUTE_P_INSTANCE_ID] = text;
}

void bind_instance_logs(struct request *rq, const char **params)
{
    static const char *const names[] = {"start_time", "end_time", "limit", "page_size", "cursor", NULL};
    struct log_query *q = rq->asked = arena_alloc(&rq->arena, sizeof *q);
    if (q == NULL)
        return;
    query_check_names(rq, names);
    bind_page(rq, q);
    bind_instance(rq, params);
    if (rq->problem.kind == PROBLEM_NONE && params[ROUTE_P_INSTANCE_ID] != NULL)
        bind_instances(q, params[ROUTE_P_INSTANCE_ID]);
}

static enum db_status lines_begin(struct request *rq, const char *service_id)
{
    struct log_query *q = rq->asked;
    const struct log_cursor *c = &q->cursor;
    char from[24], until[24], lines[24], last_us[24], last_instance[37], last_seq[24], floor_us[24];
    struct buf seen = {0};
    snprintf(from, sizeof from, "%" PRId64, q->from_us);
    snprintf(until, sizeof until, "%" PRId64, q->until_us);
    snprintf(last_us, sizeof last_us, "%" PRId64, c->last.us);
    uuid_unparse_lower(c->last.instance, last_instance);
    snprintf(last_seq, sizeof last_seq, "%" PRId64, c->last.seq);
    snprintf(floor_us, sizeof floor_us, "%" PRId64, c->floor_us);
    /* One more than the page takes tells whether there are more. */
    snprintf(lines, sizeof lines, "%" PRId64, q->lines + !q->tail);
    log_cursor_add_seen(c, &seen);
    const char *const page[API_LOGS_PAGE_P__MAX] = {
        [API_LOGS_PAGE_P_SERVICE_ID] = service_id,
        [API_LOGS_PAGE_P_FROM] = from,
        [API_LOGS_PAGE_P_UNTIL] = until,
        [API_LOGS_PAGE_P_FIRST_INSTANCE] = q->first,
        [API_LOGS_PAGE_P_LAST_INSTANCE] = q->last,
        [API_LOGS_PAGE_P_LAST_TIME] = last_us,
        [API_LOGS_PAGE_P_LAST_INSTANCE_READ] = last_instance,
        [API_LOGS_PAGE_P_LAST_SEQ] = last_seq,
        [API_LOGS_PAGE_P_FLOOR] = floor_us,
        [API_LOGS_PAGE_P_SEEN] = buf_text(&seen),
        [API_LOGS_PAGE_P_LIMIT] = lines,
    };
    const char *const tail[API_LOGS_TAIL_P__MAX] = {
        [API_LOGS_TAIL_P_SERVICE_ID] = service_id,
        [API_LOGS_TAIL_P_FROM] = from,
        [API_LOGS_TAIL_P_UNTIL] = until,
        [API_LOGS_TAIL_P_FIRST_INSTANCE] = q->first,
        [API_LOGS_TAIL_P_LAST_INSTANCE] = q->last,
        [API_LOGS_TAIL_P_LIMIT] = lines,
    };
    enum db_status status = q->tail ? db_stream_begin(rq->db, API_LOGS_TAIL, tail) : db_stream_begin(rq->db, API_LOGS_PAGE, page);
    buf_free(&seen);
    return status;
}

static void line_position(const PGresult *row, struct log_position *at)
{
    at->us = db_int(row, 0, API_LOGS_PAGE_C_LOGGED_US);
    at->seq = db_int(row, 0, API_LOGS_PAGE_C_SEQ);
    if (uuid_parse(db_text(row, 0, API_LOGS_PAGE_C_INSTANCE_ID), at->instance) != 0)
        uuid_clear(at->instance);
}

/* Reads rows into the page until it is full or there are no more. A failure, or a whole that takes too long, is a problem. */
static void lines_read(struct request *rq, struct log_page *page, const char *service_id)
{
    const struct log_query *q = rq->asked;
    int64_t deadline_ms = clock_monotonic_ms() + rq->settings->query_deadline_ms;
    const PGresult *row = NULL;
    struct log_position at = {0};
    bool room = true;
    enum db_status status = lines_begin(rq, service_id);
    if (status == DB_OK)
        status = db_stream_next(rq->db, &row);
    while (status == DB_OK && row != NULL && room && clock_monotonic_ms() < deadline_ms) {
        line_position(row, &at);
        room = log_page_add(page, &at, db_text(row, 0, API_LOGS_PAGE_C_MESSAGE),
                            db_length(row, 0, API_LOGS_PAGE_C_MESSAGE));
        /* With the row after the last one of a page the statement has come to its end; then this costs nothing. */
        if (room || page->n == q->lines)
            status = db_stream_next(rq->db, &row);
    }
    if (status == DB_OK && row != NULL && room) {
        problem_set(&rq->problem, PROBLEM_UNAVAILABLE,
                    "Reading the lines took too long. Ask for a shorter time, or for fewer lines with page_size.");
        rq->problem.retry_after = 1;
    }
    if (status != DB_OK)
        request_db_problem(rq, status);
    db_stream_end(rq->db);
    if (q->tail && page->n > 0)
        log_cursor_raise(page->cursor, at.us + 1); /* the oldest one: what is before it is not asked for */
}

/* Leads to the page after this one. */
static void add_next(struct request *rq)
{
    const struct log_query *q = rq->asked;
    static const char *const kept[] = {"page_size", "instance_id"};
    struct buf url = {0}, cursor = {0};
    link_add_self(rq, &url);
    log_cursor_encode(&q->cursor, &cursor);
    link_add_parameter(&url, "cursor", buf_text(&cursor));
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        const char *value = form_get(&rq->query, kept[i]);
        if (value != NULL)
            link_add_parameter(&url, kept[i], value);
    }
    if (form_get(&rq->query, "end_time") != NULL) {
        char until[32];
        snprintf(until, sizeof until, "%" PRId64 ".%06" PRId64, q->until_us / US_PER_SECOND, q->until_us % US_PER_SECOND);
        link_add_parameter(&url, "end_time", until);
    }
    buf_addf(&rq->headers, "Link: <%s>; rel=\"next\"\r\n", buf_text(&url));
    if (url.failed || cursor.failed)
        rq->headers.failed = true;
    buf_free(&url);
    buf_free(&cursor);
}

static void answer_logs(struct request *rq, const char *service_id)
{
    struct log_query *q = rq->asked;
    struct log_page page = {.out = &rq->reply, .cursor = &q->cursor, .lines_max = q->lines, .newest_first = q->tail};
    lines_read(rq, &page, service_id);
    log_page_finish(&page);
    if (rq->problem.kind != PROBLEM_NONE)
        return;
    /* A tail that is cut at its old end has nothing to follow but what is newer. */
    bool more = page.more && !q->tail;
    log_cursor_settle(&q->cursor, clock_wall_ns() / NS_PER_US, more);
    if (more || !q->ends)
        add_next(rq);
}

void handle_logs(struct request *rq, const PGresult *result)
{
    if (db_null(result, 0, API_SERVICE_ID_C_SERVICE_ID))
        problem_set(&rq->problem, PROBLEM_NOT_FOUND, "No such service.");
    else
        answer_logs(rq, db_text(result, 0, API_SERVICE_ID_C_SERVICE_ID));
}

void handle_instance_logs(struct request *rq, const PGresult *result)
{
    if (db_null(result, 0, API_INSTANCE_GET_C_SERVICE_ID))
        problem_set(&rq->problem, PROBLEM_NOT_FOUND, "No such instance.");
    else
        answer_logs(rq, db_text(result, 0, API_INSTANCE_GET_C_SERVICE_ID));
}
