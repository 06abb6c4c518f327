/* GET of how a service is scaled, and of the series of its metrics. The documents are built by their statements; here stands what
 * may be asked for. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

#include "common/clock.h"
#include "fcgi/handlers.h"
#include "fcgi/query_check.h"
#include "gen/api_statements.h"

#define NS_PER_SECOND INT64_C(1000000000)
#define DAY_SECONDS 86400
#define RANGE_DEFAULT_SECONDS 3600
#define POINTS_MOST 10000
/* Of instances' lives that one series may be made of: some 600,000 samples at 5 s, a few seconds' work for PostgreSQL. */
#define INSTANCE_SECONDS_MOST "3000000"
/* As many points as a plot shows well, when no period is asked for. */
#define POINTS_DEFAULT 240
#define DECISIONS_DEFAULT 20
#define DECISIONS_MOST 1000

void bind_autoscaling(struct request *rq, const char **params)
{
    static const char *const names[] = {"limit", NULL};
    query_check_names(rq, names);
    params[API_AUTOSCALING_GET_P_LIMIT] =
        arena_printf(&rq->arena, "%" PRId64, query_integer(rq, "limit", 1, DECISIONS_MOST, DECISIONS_DEFAULT));
}

static const char *query_choice(struct request *rq, const char *name, const char *const *choices)
{
    const char *given = form_get(&rq->query, name);
    struct buf all = {0};
    const char *found = given == NULL ? choices[0] : NULL;
    for (int i = 0; choices[i] != NULL; i++) {
        if (given != NULL && strcmp(given, choices[i]) == 0)
            found = choices[i];
        buf_addf(&all, "%s%s", i > 0 ? ", " : "", choices[i]);
    }
    if (found == NULL)
        problem_add(&rq->problem, name, "must be one of %s", buf_text(&all));
    buf_free(&all);
    return found;
}

static int64_t period_for(int64_t seconds)
{
    static const int64_t periods[] = {5, 10, 15, 30, 60, 120, 300, 900, 3600, 14400, DAY_SECONDS};
    size_t i = 0;
    while (i + 1 < sizeof periods / sizeof periods[0] && seconds / periods[i] > POINTS_DEFAULT)
        i++;
    return periods[i];
}

void bind_series(struct request *rq, const char **params)
{
    static const char *const names[] = {"metric_name", "metric_stat", "start_time", "end_time", "period", NULL};
    static const char *const metrics[] = {"CPU_UTILIZATION", "MEMORY_UTILIZATION", "NETWORK_IN", "NETWORK_OUT", NULL};
    static const char *const stats[] = {"MEAN", "MAX", "MIN", NULL};
    bool whole;
    query_check_names(rq, names);
    params[API_METRICS_SERIES_P_METRIC_NAME] = query_choice(rq, "metric_name", metrics);
    params[API_METRICS_SERIES_P_METRIC_STAT] = query_choice(rq, "metric_stat", stats);
    int64_t until = query_time(rq, "end_time", clock_wall_ns(), &whole) / NS_PER_SECOND;
    int64_t from = query_time(rq, "start_time", (until - RANGE_DEFAULT_SECONDS) * NS_PER_SECOND, &whole) / NS_PER_SECOND;
    if (from < 0 || until < 0)
        problem_add(&rq->problem, from < 0 ? "start_time" : "end_time", "must not be before 1970");
    else if (from >= until)
        problem_add(&rq->problem, "start_time", "must be earlier than end_time");
    int64_t period = query_integer(rq, "period", 1, DAY_SECONDS, from < until ? period_for(until - from) : 1);
    /* Whole periods, so that the same time always falls into the same point. */
    from -= from % period;
    until += (period - until % period) % period;
    if ((until - from) / period > POINTS_MOST)
        problem_add(&rq->problem, "period", "would give more than %d points; ask for a longer period or less time", POINTS_MOST);
    params[API_METRICS_SERIES_P_INSTANCE_ID] = NULL;
    params[API_METRICS_SERIES_P_FROM] = arena_printf(&rq->arena, "%" PRId64, from);
    params[API_METRICS_SERIES_P_UNTIL] = arena_printf(&rq->arena, "%" PRId64, until);
    params[API_METRICS_SERIES_P_PERIOD] = arena_printf(&rq->arena, "%" PRId64, period);
    params[API_METRICS_SERIES_P_LIMIT] = INSTANCE_SECONDS_MOST;
}

void handle_series(struct request *rq, const PGresult *result)
{
    bool there = !db_null(result, 0, API_METRICS_SERIES_C_INSTANCE_SECONDS);
    if (there && db_null(result, 0, API_METRICS_SERIES_C_DOCUMENT))
        problem_add(&rq->problem, "start_time", "with so many instances this would be made of too many samples; ask for less time, or for "
                    "one instance");
    else
        handle_document(rq, result);
}

void bind_instance_series(struct request *rq, const char **params)
{
    bind_series(rq, params);
    bind_instance(rq, params);
}
