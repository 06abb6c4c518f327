/* Evaluates services that are due. All of a pass is one statement, sql/queries/autoscaler/services_evaluate.sql, which claims,
 * measures, decides, acts and records; the decision itself is the function skylark.autoscaling_decide. So nothing is held here
 * between passes: a process that is killed leaves either a whole pass or none, and its share is due for the others. */
#include "autoscaler/evaluate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autoscaler/settings.h"
#include "common/db.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/pace.h"
#include "common/signals.h"
#include "gen/autoscaler_statements.h"

#define WAIT_AWAY_MS 500
/* After a deadlock. */
#define WAIT_LEAST_MS 50
#define WAIT_MOST_MS 2000
/* Services a pass: few enough that a user who changes one waits no longer than a blink for its row. A power of two. */
#define LIMIT_MOST 2048

static const char *const reasons[] = {"scaled_up",   "scaled_down", "below_minimum", "above_maximum", "within_band",
                                      "at_maximum",  "at_minimum",  "at_zero",       "would_flap",    "stabilizing",
                                      "waiting",     "starting",    "no_data",       "updating",      "dry_run",
                                      "overtaken",   "scaled_to_quota", "at_quota", NULL};

enum { PASSES, PASS_FAILURES, EVALUATIONS, LAG, LAG_MOST, OVERDUE, POSTPONED };

const struct metric autoscaler_metrics[] = {
    [PASSES] = {.name = "skylark_autoscaler_passes_total", .type = METRIC_COUNTER,
                .help = "Passes that evaluated at least one service."},
    [PASS_FAILURES] = {.name = "skylark_autoscaler_pass_failures_total", .type = METRIC_COUNTER,
                       .help = "Passes that PostgreSQL did not carry out; they change nothing and are made again."},
    [EVALUATIONS] = {.name = "skylark_autoscaler_evaluations_total", .type = METRIC_COUNTER,
                     .help = "Evaluations of a service, by the reason they ended with.", .label = "reason", .values = reasons},
    [LAG] = {.name = "skylark_autoscaler_lag_seconds", .type = METRIC_GAUGE, .divisor = 1000,
             .help = "How late the latest evaluation of the last pass that had one was."},
    [LAG_MOST] = {.name = "skylark_autoscaler_lag_max_seconds", .type = METRIC_GAUGE, .divisor = 1000,
                  .help = "How late an evaluation was at most since the process started."},
    [OVERDUE] = {.name = "skylark_autoscaler_overdue_seconds", .type = METRIC_GAUGE, .divisor = 1000,
                 .help = "For how long the service that is due longest has waited, when last looked; 0 when none is due."},
    [POSTPONED] = {.name = "skylark_autoscaler_postponed_total", .type = METRIC_COUNTER,
                   .help = "Evaluations put off for a minute because one service alone took longer than a statement may."},
};
const size_t autoscaler_n_metrics = sizeof autoscaler_metrics / sizeof autoscaler_metrics[0];

struct evaluator {
    const struct autoscaler_settings *settings;
    struct db *db;
    int64_t limit; /* services a pass */
    struct pace pace;
};

/* *evaluated: how many services the pass took. */
static enum db_status pass(struct evaluator *e, int64_t *evaluated)
{
    char interval[24], stale[24], heartbeat[24], limit[24];
    snprintf(interval, sizeof interval, "%" PRId64, e->settings->evaluation_interval_ms);
    snprintf(stale, sizeof stale, "%" PRId64, e->settings->sample_stale_ms);
    snprintf(heartbeat, sizeof heartbeat, "%" PRId64, e->settings->heartbeat_ms);
    snprintf(limit, sizeof limit, "%" PRId64, e->limit);
    const char *params[AUTOSCALER_SERVICES_EVALUATE_P__MAX] = {
        [AUTOSCALER_SERVICES_EVALUATE_P_INTERVAL_MS] = interval,
        [AUTOSCALER_SERVICES_EVALUATE_P_STALE_MS] = stale,
        [AUTOSCALER_SERVICES_EVALUATE_P_HEARTBEAT_MS] = heartbeat,
        [AUTOSCALER_SERVICES_EVALUATE_P_LIMIT] = limit,
    };
    PGresult *r;
    int64_t lag = 0;
    *evaluated = 0;
    enum db_status status = db_run(e->db, AUTOSCALER_SERVICES_EVALUATE, params, &r);
    if (status != DB_OK) {
        metrics_add(PASS_FAILURES, 0, 1);
        return status;
    }
    for (int i = 0; i < PQntuples(r); i++) {
        int64_t n = db_int(r, i, AUTOSCALER_SERVICES_EVALUATE_C_EVALUATIONS);
        int64_t late = db_int(r, i, AUTOSCALER_SERVICES_EVALUATE_C_LATE_MS);
        metrics_add(EVALUATIONS, metrics_figure(EVALUATIONS, db_text(r, i, AUTOSCALER_SERVICES_EVALUATE_C_REASON)), n);
        *evaluated += n;
        lag = late > lag ? late : lag;
    }
    PQclear(r);
    if (*evaluated > 0) {
        metrics_add(PASSES, 0, 1);
        metrics_set(LAG, 0, lag);
        metrics_raise(LAG_MOST, 0, lag);
    }
    return DB_OK;
}

/* Milliseconds until there is something to do. */
static int next_due(struct evaluator *e)
{
    PGresult *r;
    if (db_run(e->db, AUTOSCALER_NEXT_DUE, NULL, &r) != DB_OK)
        return WAIT_AWAY_MS;
    int64_t due = db_null(r, 0, AUTOSCALER_NEXT_DUE_C_DUE_IN_MS) ? -1 : db_int(r, 0, AUTOSCALER_NEXT_DUE_C_DUE_IN_MS);
    int64_t overdue = db_int(r, 0, AUTOSCALER_NEXT_DUE_C_OVERDUE_MS);
    PQclear(r);
    metrics_set(OVERDUE, 0, overdue);
    return pace_wait(&e->pace, due, overdue > 0, WAIT_MOST_MS);
}

/* A pass that takes too long is given up whole; so the next one takes half as many services, until it is known which one it is. */
static void pass_failed(struct evaluator *e)
{
    long postponed = 0;
    if (e->limit > 1) {
        e->limit /= 2;
    } else if (db_execute(e->db, AUTOSCALER_SERVICE_POSTPONE, NULL, &postponed) == DB_OK && postponed > 0) {
        log_warning("a service takes longer to evaluate than query_deadline allows: put off for a minute");
        metrics_add(POSTPONED, 0, 1);
        e->limit = LIMIT_MOST;
    }
}

static void evaluate(struct evaluator *e)
{
    while (loop_next()) {
        char payload[8];
        int64_t evaluated;
        while (db_notified(e->db, payload, sizeof payload))
            continue;
        enum db_status status = pass(e, &evaluated);
        if (status == DB_OK && e->limit < LIMIT_MOST)
            e->limit *= 2;
        int backoff = db_backoff_ms(e->db) > WAIT_AWAY_MS ? db_backoff_ms(e->db) : WAIT_AWAY_MS;
        if (status == DB_OK && evaluated > 0) {
            pace_progress(&e->pace);
            continue;
        }
        if (status != DB_OK && status != DB_RETRY && db_socket(e->db) >= 0)
            pass_failed(e);
        if (status != DB_OK && status != DB_RETRY)
            signals_wait(-1, backoff);
        else if (status == DB_RETRY) /* somebody else changes these services; without a wait the two may go on like that */
            signals_wait(-1, WAIT_LEAST_MS);
        else
            signals_wait(db_socket(e->db), next_due(e));
    }
}

int evaluate_run(void *context, int index)
{
    const struct autoscaler_settings *settings = context;
    struct db_options options = {
        .conninfo = settings->database, .application_name = "skylark-autoscaler", .statements = autoscaler_statements,
        .n_statements = AUTOSCALER__MAX, .connect_deadline_ms = settings->connect_deadline_ms,
        .query_deadline_ms = settings->query_deadline_ms, .channel = "skylark_autoscaling",
    };
    (void)index;
    struct evaluator e = {.settings = settings, .db = db_create(&options), .limit = LIMIT_MOST};
    if (e.db == NULL)
        return 1;
    evaluate(&e);
    db_free(e.db);
    return 0;
}
