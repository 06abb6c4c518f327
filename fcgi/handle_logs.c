/* GET of log lines, of a service or of one of its instances: streamed row by row, so that a result of any size
 * costs the worker no memory. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

#include "common/clock.h"
#include "common/log.h"
#include "fcgi/handlers.h"
#include "fcgi/query_check.h"
#include "fcgi/route.h"
#include "gen/api_statements.h"

#define NS_PER_SECOND ((int64_t)1000000000)
#define NS_PER_MICROSECOND ((int64_t)1000)
#define WINDOW_DEFAULT_NS (15 * 60 * NS_PER_SECOND)
#define LIMIT_MAX 1000000
/* Rows are handed to libfcgi in pieces of about this size. */
#define PIECE_BYTES 32768

/* The two statements share parameters, which the one with a limit has one more of. */
DB_SAME_PLACE(API_LOGS_TAIL_P_SERVICE_ID, API_LOGS_STREAM_P_SERVICE_ID);
DB_SAME_PLACE(API_LOGS_TAIL_P_FROM, API_LOGS_STREAM_P_FROM);
DB_SAME_PLACE(API_LOGS_TAIL_P_UNTIL, API_LOGS_STREAM_P_UNTIL);
DB_SAME_PLACE(API_LOGS_TAIL_P_INSTANCE_ID, API_LOGS_STREAM_P_INSTANCE_ID);
DB_SAME_PLACE(API_LOGS_TAIL_C_LINE, API_LOGS_STREAM_C_LINE);

/* Which lines are asked for, as parameters of the statement. */
struct log_query {
    const char *from, *until; /* microseconds since 1970 */
    const char *instance;     /* first digits of its uuid; NULL: all */
    const char *limit;        /* NULL: none */
};

/* The time range. An end without decimals means that whole second, as old clients expect: a line whose "time" equals
 * it is in. */
static void bind_range(struct request *rq, struct log_query *q)
{
    bool whole, ignored;
    int64_t now = clock_wall_ns();
    /* Lines may bear a time a little ahead of this machine's clock. */
    int64_t end = query_time(rq, "end_time", now + 60 * NS_PER_SECOND, &whole);
    int64_t start = query_time(rq, "start_time", (form_get(&rq->query, "end_time") != NULL ? end : now) - WINDOW_DEFAULT_NS,
                               &ignored);
    end += whole ? NS_PER_SECOND : NS_PER_MICROSECOND;
    if (rq->problem.kind == PROBLEM_NONE && start >= end)
        problem_add(&rq->problem, "start_time", "must not be later than end_time");
    q->from = arena_printf(&rq->arena, "%" PRId64, start / NS_PER_MICROSECOND);
    q->until = arena_printf(&rq->arena, "%" PRId64, end / NS_PER_MICROSECOND);
    if (form_get(&rq->query, "limit") != NULL)
        q->limit = arena_printf(&rq->arena, "%" PRId64, query_integer(rq, "limit", 1, LIMIT_MAX, 1));
}

void bind_logs(struct request *rq, const char **params)
{
    static const char *const names[] = {"start_time", "end_time", "limit", "instance_id", NULL};
    (void)params;
    struct log_query *q = rq->asked = arena_alloc(&rq->arena, sizeof *q);
    if (q == NULL)
        return;
    query_check_names(rq, names);
    bind_range(rq, q);
    const char *id = form_get(&rq->query, "instance_id");
    if (id == NULL)
        return;
    size_t n = strlen(id);
    uuid_t uuid;
    if (n == 36 ? uuid_parse(id, uuid) != 0 : n != 8 || strspn(id, "0123456789abcdefABCDEF") != 8)
        problem_add(&rq->problem, "instance_id", "must be the uuid of an instance or its first 8 digits");
    char *lower = arena_printf(&rq->arena, "%.36s", id);
    for (char *p = lower; p != NULL && *p != '\0'; p++)
        *p = (char)(*p >= 'A' && *p <= 'F' ? *p - 'A' + 'a' : *p);
    q->instance = lower;
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
    static const char *const names[] = {"start_time", "end_time", "limit", NULL};
    struct log_query *q = rq->asked = arena_alloc(&rq->arena, sizeof *q);
    if (q == NULL)
        return;
    query_check_names(rq, names);
    bind_range(rq, q);
    bind_instance(rq, params);
    q->instance = params[ROUTE_P_INSTANCE_ID];
}

static void stream_logs(struct request *rq, const char *service_id)
{
    const struct log_query *q = rq->asked;
    if (rq->head) {
        request_stream_begin(rq);
        return;
    }
    const char *params[API_LOGS_TAIL_P__MAX] = {
        [API_LOGS_TAIL_P_SERVICE_ID] = service_id,
        [API_LOGS_TAIL_P_FROM] = q->from,
        [API_LOGS_TAIL_P_UNTIL] = q->until,
        [API_LOGS_TAIL_P_INSTANCE_ID] = q->instance,
        [API_LOGS_TAIL_P_LIMIT] = q->limit,
    };
    enum db_status status = db_stream_begin(rq->db, q->limit != NULL ? API_LOGS_TAIL : API_LOGS_STREAM, params);
    const PGresult *row = NULL;
    if (status == DB_OK)
        status = db_stream_next(rq->db, &row);
    if (status != DB_OK) {
        db_stream_end(rq->db);
        request_db_problem(rq, status);
        return;
    }
    /* From here on the status is out; what fails now cuts the answer off, so that no client takes it for whole. */
    bool going = request_stream_begin(rq);
    buf_addc(&rq->reply, '[');
    while (going && row != NULL) {
        if (rq->reply.len > PIECE_BYTES) {
            going = request_stream_write(rq, rq->reply.data, rq->reply.len);
            buf_clear(&rq->reply);
        }
        db_add(&rq->reply, row, 0, API_LOGS_STREAM_C_LINE);
        status = db_stream_next(rq->db, &row);
        if (status == DB_OK && row != NULL)
            buf_adds(&rq->reply, ",\n");
        going = going && status == DB_OK;
    }
    buf_addc(&rq->reply, ']');
    if (status != DB_OK || rq->reply.failed) {
        log_error("log lines could not be sent to their end: %s", db_message(rq->db));
        rq->broken = true;
    } else if (going) {
        request_stream_write(rq, rq->reply.data, rq->reply.len);
    }
    db_stream_end(rq->db);
}

void handle_logs(struct request *rq, const PGresult *result)
{
    if (db_null(result, 0, API_SERVICE_ID_C_SERVICE_ID))
        problem_set(&rq->problem, PROBLEM_NOT_FOUND, "No such service.");
    else
        stream_logs(rq, db_text(result, 0, API_SERVICE_ID_C_SERVICE_ID));
}

void handle_instance_logs(struct request *rq, const PGresult *result)
{
    if (db_null(result, 0, API_INSTANCE_GET_C_SERVICE_ID))
        problem_set(&rq->problem, PROBLEM_NOT_FOUND, "No such instance.");
    else
        stream_logs(rq, db_text(result, 0, API_INSTANCE_GET_C_SERVICE_ID));
}
