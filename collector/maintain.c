/* Keeps the tables of logs, samples and events in shape. */
#include "collector/maintain.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/log.h"
#include "gen/collector_statements.h"

#define RETRY_MS 60000
/* Rows deleted by one statement, and statements of a kind in one pass: the rest waits for the next. */
#define BATCH 1000
#define BATCHES_MAX 100

static bool partitions(const struct maintain *m, struct db *db, const char *table, int64_t retention_ms)
{
    char retention[24], ahead[24];
    snprintf(retention, sizeof retention, "%" PRId64, retention_ms);
    snprintf(ahead, sizeof ahead, "%" PRId64, m->settings->days_ahead);
    const char *params[COLLECTOR_PARTITIONS_MAINTAIN_P__MAX] = {
        [COLLECTOR_PARTITIONS_MAINTAIN_P_TABLE] = table,
        [COLLECTOR_PARTITIONS_MAINTAIN_P_RETENTION_MS] = retention,
        [COLLECTOR_PARTITIONS_MAINTAIN_P_DAYS_AHEAD] = ahead,
    };
    PGresult *r;
    if (db_run(db, COLLECTOR_PARTITIONS_MAINTAIN, params, &r) != DB_OK)
        return false;
    for (int i = 0; i < PQntuples(r); i++)
        log_info("partition %s %s", db_text(r, i, COLLECTOR_PARTITIONS_MAINTAIN_C_PARTITION_NAME),
                 db_text(r, i, COLLECTOR_PARTITIONS_MAINTAIN_C_WHAT));
    PQclear(r);
    return true;
}

static bool prune(const struct maintain *m, struct db *db)
{
    char logs[24], events[24];
    snprintf(logs, sizeof logs, "%" PRId64, m->settings->log_retention_ms);
    snprintf(events, sizeof events, "%" PRId64, m->settings->event_retention_ms);
    const char *params[COLLECTOR_HISTORY_PRUNE_P__MAX] = {
        [COLLECTOR_HISTORY_PRUNE_P_INSTANCES_MS] = logs,
        [COLLECTOR_HISTORY_PRUNE_P_HISTORY_MS] = events,
    };
    return db_execute(db, COLLECTOR_HISTORY_PRUNE, params, NULL) == DB_OK;
}

/* Runs a statement that deletes a batch, until it finds less than that. */
static bool in_batches(struct db *db, unsigned statement, const char *const *params, int column)
{
    int64_t deleted = BATCH;
    for (int i = 0; i < BATCHES_MAX && deleted >= BATCH; i++) {
        PGresult *r;
        if (db_run(db, statement, params, &r) != DB_OK)
            return false;
        deleted = PQntuples(r) == 1 ? db_int(r, 0, column) : 0;
        PQclear(r);
    }
    return true;
}

static bool prune_access(const struct maintain *m, struct db *db)
{
    char retention[24], batch[24];
    snprintf(retention, sizeof retention, "%" PRId64, m->settings->token_retention_ms);
    snprintf(batch, sizeof batch, "%d", BATCH);
    const char *tokens[COLLECTOR_TOKENS_PRUNE_P__MAX] = {
        [COLLECTOR_TOKENS_PRUNE_P_RETENTION_MS] = retention,
        [COLLECTOR_TOKENS_PRUNE_P_BATCH] = batch,
    };
    const char *logins[COLLECTOR_LOGINS_PRUNE_P__MAX] = {[COLLECTOR_LOGINS_PRUNE_P_BATCH] = batch};
    return in_batches(db, COLLECTOR_TOKENS_PRUNE, tokens, COLLECTOR_TOKENS_PRUNE_C_DELETED) &&
           in_batches(db, COLLECTOR_LOGINS_PRUNE, logins, COLLECTOR_LOGINS_PRUNE_C_DELETED);
}

void maintain_when_due(struct maintain *m, struct db *db)
{
    int64_t now = clock_monotonic_ms();
    if (now < m->next_ms)
        return;
    m->next_ms = now + m->settings->maintenance_interval_ms;
    if (partitions(m, db, "log_rows", m->settings->log_retention_ms) &&
        partitions(m, db, "metric_samples", m->settings->metric_retention_ms) && prune(m, db) && prune_access(m, db))
        return;
    log_warning("partitions and retention could not be seen to: %s", db_message(db));
    m->next_ms = now + RETRY_MS;
}
