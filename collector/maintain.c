/* Keeps tables in shape. */
#include "collector/maintain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "gen/collector_statements.h"

#define RETRY_MS 60000
/* Between statements, lines of logs have their turn. */
#define AT_ONCE_MS 100
/* Rows deleted by one statement, and statements of a kind in one pass: the rest waits for the next. */
#define BATCH "1000"
#define BATCH_ROWS 1000
#define BATCHES_MAX 100

enum outcome {
    TASK_DONE,
    TASK_MORE,   /* call again */
    TASK_MISSED, /* try again with the next pass; logged */
    TASK_AWAY,   /* no database: the whole pass is to be tried again */
};

struct task {
    enum outcome (*run)(const struct maintain *m, const struct task *task, struct db *db);
    const char *what;     /* table */
    size_t retention;     /* of which setting, as its offset; 0: of none */
};

static const char *retention_text(const struct maintain *m, const struct task *task, char *text, size_t size)
{
    snprintf(text, size, "%" PRId64, *(const int64_t *)((const char *)m->settings + task->retention));
    return text;
}

static enum outcome failed(const struct task *task, struct db *db, enum db_status status)
{
    log_warning("upkeep of %s: %s", task->what, db_message(db));
    return status == DB_AWAY || status == DB_SCHEMA ? TASK_AWAY : TASK_MISSED;
}

/* Judges what a function answered about one partition. */
static enum outcome judge(const struct task *task, const char *day, const char *outcome)
{
    static const char *const idle[] = {"there", "gone"}, *const news[] = {"made", "dropped", "moved"};
    for (size_t i = 0; i < sizeof idle / sizeof idle[0]; i++) {
        if (strcmp(outcome, idle[i]) == 0)
            return TASK_DONE;
    }
    for (size_t i = 0; i < sizeof news / sizeof news[0]; i++) {
        if (strcmp(outcome, news[i]) == 0) {
            log_info("partition of %s for %s %s", task->what, day, outcome);
            return TASK_DONE;
        }
    }
    log_warning("the partition of %s for %s is %s; trying again later", task->what, day, outcome);
    return TASK_MISSED;
}

static enum outcome make_days(const struct maintain *m, const struct task *task, struct db *db)
{
    char ahead[24];
    PGresult *days, *r;
    snprintf(ahead, sizeof ahead, "%" PRId64, m->settings->days_ahead);
    const char *params[COLLECTOR_PARTITIONS_MISSING_P__MAX] = {
        [COLLECTOR_PARTITIONS_MISSING_P_TABLE] = task->what,
        [COLLECTOR_PARTITIONS_MISSING_P_DAYS_AHEAD] = ahead,
    };
    enum db_status status = db_run(db, COLLECTOR_PARTITIONS_MISSING, params, &days);
    if (status != DB_OK)
        return failed(task, db, status);
    enum outcome result = TASK_DONE;
    for (int i = 0; i < PQntuples(days) && result == TASK_DONE; i++) {
        const char *day = db_text(days, i, COLLECTOR_PARTITIONS_MISSING_C_DAY);
        const char *make[COLLECTOR_PARTITION_MAKE_P__MAX] = {
            [COLLECTOR_PARTITION_MAKE_P_TABLE] = task->what,
            [COLLECTOR_PARTITION_MAKE_P_DAY] = day,
        };
        status = db_run(db, COLLECTOR_PARTITION_MAKE, make, &r);
        result = status == DB_OK ? judge(task, day, db_text(r, 0, COLLECTOR_PARTITION_MAKE_C_OUTCOME)) : failed(task, db, status);
        PQclear(r);
    }
    PQclear(days);
    return result;
}

/* Each attempt may hold up who uses the table for a moment, so it ends with the first that can't be had. */
static enum outcome drop_days(const struct maintain *m, const struct task *task, struct db *db)
{
    char retention[24];
    PGresult *days, *r;
    const char *params[COLLECTOR_PARTITIONS_EXPIRED_P__MAX] = {
        [COLLECTOR_PARTITIONS_EXPIRED_P_TABLE] = task->what,
        [COLLECTOR_PARTITIONS_EXPIRED_P_RETENTION_MS] = retention_text(m, task, retention, sizeof retention),
    };
    enum db_status status = db_run(db, COLLECTOR_PARTITIONS_EXPIRED, params, &days);
    if (status != DB_OK)
        return failed(task, db, status);
    enum outcome result = TASK_DONE;
    for (int i = 0; i < PQntuples(days) && result == TASK_DONE; i++) {
        const char *day = db_text(days, i, COLLECTOR_PARTITIONS_EXPIRED_C_DAY);
        const char *drop[COLLECTOR_PARTITION_DROP_P__MAX] = {
            [COLLECTOR_PARTITION_DROP_P_TABLE] = task->what,
            [COLLECTOR_PARTITION_DROP_P_DAY] = day,
            [COLLECTOR_PARTITION_DROP_P_RETENTION_MS] = retention,
        };
        status = db_run(db, COLLECTOR_PARTITION_DROP, drop, &r);
        result = status == DB_OK ? judge(task, day, db_text(r, 0, COLLECTOR_PARTITION_DROP_C_OUTCOME)) : failed(task, db, status);
        PQclear(r);
    }
    PQclear(days);
    return result;
}

static enum outcome move_later(const struct maintain *m, const struct task *task, struct db *db)
{
    const char *params[COLLECTOR_PARTITION_LATER_MOVE_P__MAX] = {[COLLECTOR_PARTITION_LATER_MOVE_P_TABLE] = task->what};
    PGresult *r;
    (void)m;
    enum db_status status = db_run(db, COLLECTOR_PARTITION_LATER_MOVE, params, &r);
    enum outcome result = status == DB_OK ? judge(task, "later times", db_text(r, 0, COLLECTOR_PARTITION_LATER_MOVE_C_OUTCOME))
                                          : failed(task, db, status);
    PQclear(r);
    return result;
}

/* Runs a statement that deletes a batch. */
static enum outcome delete_batch(const struct task *task, struct db *db, unsigned statement, const char *const *params, int column)
{
    PGresult *r;
    enum db_status status = db_run(db, statement, params, &r);
    if (status != DB_OK)
        return failed(task, db, status);
    int64_t deleted = PQntuples(r) == 1 ? db_int(r, 0, column) : 0;
    PQclear(r);
    if (deleted < 0)
        log_warning("%s is locked; what is past its retention stays for now", task->what);
    return deleted < 0 ? TASK_MISSED : deleted < BATCH_ROWS ? TASK_DONE : TASK_MORE;
}

static enum outcome prune(const struct maintain *m, const struct task *task, struct db *db)
{
    char retention[24];
    const char *params[COLLECTOR_HISTORY_PRUNE_P__MAX] = {
        [COLLECTOR_HISTORY_PRUNE_P_WHAT] = task->what,
        [COLLECTOR_HISTORY_PRUNE_P_RETENTION_MS] = retention_text(m, task, retention, sizeof retention),
        [COLLECTOR_HISTORY_PRUNE_P_BATCH] = BATCH,
    };
    return delete_batch(task, db, COLLECTOR_HISTORY_PRUNE, params, COLLECTOR_HISTORY_PRUNE_C_DELETED);
}

static enum outcome prune_tokens(const struct maintain *m, const struct task *task, struct db *db)
{
    char retention[24];
    const char *params[COLLECTOR_TOKENS_PRUNE_P__MAX] = {
        [COLLECTOR_TOKENS_PRUNE_P_RETENTION_MS] = retention_text(m, task, retention, sizeof retention),
        [COLLECTOR_TOKENS_PRUNE_P_BATCH] = BATCH,
    };
    return delete_batch(task, db, COLLECTOR_TOKENS_PRUNE, params, COLLECTOR_TOKENS_PRUNE_C_DELETED);
}

static enum outcome prune_logins(const struct maintain *m, const struct task *task, struct db *db)
{
    const char *params[COLLECTOR_LOGINS_PRUNE_P__MAX] = {[COLLECTOR_LOGINS_PRUNE_P_BATCH] = BATCH};
    (void)m;
    return delete_batch(task, db, COLLECTOR_LOGINS_PRUNE, params, COLLECTOR_LOGINS_PRUNE_C_DELETED);
}

/* What is needed to store anything comes first. */
#define OF(setting) offsetof(struct collector_settings, setting)
static const struct task tasks[] = {
    {.run = make_days, .what = "log_rows"},
    {.run = make_days, .what = "metric_samples"},
    {.run = drop_days, .what = "log_rows", .retention = OF(log_retention_ms)},
    {.run = drop_days, .what = "metric_samples", .retention = OF(metric_retention_ms)},
    {.run = move_later, .what = "log_rows"},
    {.run = move_later, .what = "metric_samples"},
    {.run = prune, .what = "log_rows", .retention = OF(log_retention_ms)},
    {.run = prune, .what = "metric_samples", .retention = OF(metric_retention_ms)},
    {.run = prune, .what = "instances", .retention = OF(log_retention_ms)},
    {.run = prune, .what = "image_pulls", .retention = OF(pull_retention_ms)},
    {.run = prune, .what = "events", .retention = OF(event_retention_ms)},
    {.run = prune, .what = "autoscaling_decisions", .retention = OF(event_retention_ms)},
    {.run = prune_tokens, .what = "api_tokens", .retention = OF(token_retention_ms)},
    {.run = prune_logins, .what = "login_failures and login_addresses"},
};
#define N_TASKS (sizeof tasks / sizeof tasks[0])

static void pass_end(struct maintain *m, int64_t now, bool again)
{
    int64_t interval = m->settings->maintenance_interval_ms;
    m->next_ms = now + (again && interval > RETRY_MS ? RETRY_MS : interval);
    m->task = 0;
    m->batches = 0;
    m->missed = false;
}

void maintain_when_due(struct maintain *m, struct db *db)
{
    int64_t started = clock_monotonic_ms(), now = started;
    if (now < m->next_ms)
        return;
    while (m->task < N_TASKS && now - started < AT_ONCE_MS) {
        enum outcome outcome = tasks[m->task].run(m, &tasks[m->task], db);
        now = clock_monotonic_ms();
        if (outcome == TASK_AWAY) {
            pass_end(m, now, true);
            return;
        }
        m->missed = m->missed || outcome == TASK_MISSED;
        if (outcome == TASK_MORE && ++m->batches < BATCHES_MAX)
            continue;
        m->batches = 0;
        m->task++;
    }
    if (m->task == N_TASKS)
        pass_end(m, now, m->missed);
}
