/* The days whose partitions rows need. */
#include "collector/days.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "gen/collector_statements.h"

#define NS_PER_DAY (INT64_C(86400) * 1000000000)

static bool days_has(const struct days *days, int64_t day)
{
    for (int i = days->n; i-- > 0;) { /* the latest is asked for most */
        if (days->list[i] == day)
            return true;
    }
    return false;
}

static void days_put(struct days *days, int64_t day)
{
    if (!days_has(days, day) && days->n < DAYS_MAX)
        days->list[days->n++] = day;
}

void days_add(struct days *days, int64_t at_ns)
{
    days_put(days, at_ns / NS_PER_DAY - (at_ns % NS_PER_DAY < 0));
}

static enum db_status day_make(int64_t day, struct db *db, const char *table)
{
    char text[32];
    struct tm tm;
    time_t second = (time_t)(day * 86400);
    PGresult *r;
    gmtime_r(&second, &tm);
    strftime(text, sizeof text, "%Y-%m-%d", &tm);
    const char *params[COLLECTOR_PARTITION_MAKE_P__MAX] = {
        [COLLECTOR_PARTITION_MAKE_P_TABLE] = table,
        [COLLECTOR_PARTITION_MAKE_P_DAY] = text,
    };
    enum db_status status = db_run(db, COLLECTOR_PARTITION_MAKE, params, &r);
    if (status != DB_OK)
        return status;
    const char *outcome = db_text(r, 0, COLLECTOR_PARTITION_MAKE_C_OUTCOME);
    if (strcmp(outcome, "made") == 0)
        log_info("partition of %s for %s made", table, text);
    else if (strcmp(outcome, "there") != 0)
        log_warning("the partition of %s for %s could not be made: %s", table, text, outcome);
    if (strcmp(outcome, "busy") == 0)
        status = DB_AWAY;
    else if (strcmp(outcome, "refused") == 0)
        status = DB_REFUSED;
    PQclear(r);
    return status;
}

enum db_status days_make(const struct days *needed, struct days *there, struct db *db, const char *table)
{
    enum db_status status = DB_OK;
    for (int i = 0; i < needed->n && status == DB_OK; i++) {
        if (days_has(there, needed->list[i]))
            continue;
        status = day_make(needed->list[i], db, table);
        if (there->n == DAYS_MAX)
            there->n = 0; /* to ask once more is cheap */
        if (status == DB_OK)
            days_put(there, needed->list[i]);
    }
    return status;
}
