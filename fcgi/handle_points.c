/* GET of an instance's metrics in the form of 2015: a table of columns and points, newest first. Its parameter point_per_period,
 * which our own form (handle_scaling.c) does not have, asks for it. */
#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "fcgi/handlers.h"
#include "fcgi/query_check.h"
#include "gen/api_statements.h"

#define NS_PER_SECOND INT64_C(1000000000)
#define RANGE_DEFAULT_NS (3600 * NS_PER_SECOND)
#define POINTS_MOST 10000
/* As handle_scaling.c has it. */
#define INSTANCE_SECONDS_MOST "3000000"

static int64_t period_of(struct request *rq)
{
    static const struct {
        const char *name;
        int64_t seconds;
    } periods[] = {{"1s", 1},      {"1m", 60},     {"5m", 300},    {"15m", 900},    {"30m", 1800},  {"1h", 3600},
                   {"4h", 14400},  {"12h", 43200}, {"1d", 86400},  {"7d", 604800},  {"30d", 2592000}};
    const char *given = form_get(&rq->query, "point_per_period");
    for (size_t i = 0; i < sizeof periods / sizeof periods[0]; i++)
        if (strcmp(given, periods[i].name) == 0)
            return periods[i].seconds;
    problem_add(&rq->problem, "point_per_period", "must be one of 1s, 1m, 5m, 15m, 30m, 1h, 4h, 12h, 1d, 7d, 30d");
    return 1;
}

void bind_points(struct request *rq, const char **params)
{
    static const char *const names[] = {"start_time", "end_time", "point_per_period", NULL};
    bool whole, ignored;
    query_check_names(rq, names);
    int64_t period = period_of(rq);
    int64_t end = query_time(rq, "end_time", clock_wall_ns(), &whole);
    int64_t start = query_time(rq, "start_time", end > RANGE_DEFAULT_NS ? end - RANGE_DEFAULT_NS : 0, &ignored);
    if (rq->problem.kind == PROBLEM_NONE && start > end)
        problem_add(&rq->problem, "start_time", "must not be later than end_time");
    /* An end without decimals means that whole second, as it does for logs. */
    int64_t from = start / NS_PER_SECOND, until = end / NS_PER_SECOND + (whole || end % NS_PER_SECOND > 0);
    if ((until - from) / period > POINTS_MOST)
        problem_add(&rq->problem, "point_per_period", "would give more than %d points; ask for a longer period or less time",
                    POINTS_MOST);
    bind_instance(rq, params);
    params[API_METRICS_POINTS_P_FROM] = arena_printf(&rq->arena, "%" PRId64, from);
    params[API_METRICS_POINTS_P_UNTIL] = arena_printf(&rq->arena, "%" PRId64, until);
    params[API_METRICS_POINTS_P_PERIOD] = arena_printf(&rq->arena, "%" PRId64, period);
    params[API_METRICS_POINTS_P_LIMIT] = INSTANCE_SECONDS_MOST;
}

void handle_points(struct request *rq, const PGresult *result)
{
    bool there = !db_null(result, 0, API_METRICS_POINTS_C_INSTANCE_SECONDS);
    if (there && db_null(result, 0, API_METRICS_POINTS_C_DOCUMENT))
        problem_add(&rq->problem, "start_time", "this would be made of too many samples; ask for less time");
    else
        handle_document(rq, result);
}
