/* The days whose partitions rows need before they can be stored: made when the first row of a day comes, whatever was made ahead. */
#ifndef SKYLARK_COLLECTOR_DAYS_H
#define SKYLARK_COLLECTOR_DAYS_H

#include <stdint.h>

#include "common/db.h"

/* Rows that wait seldom span more. With more of them, all are stored only when the partitions were made ahead. */
#define DAYS_MAX 64

/* A set of days (UTC), counted from 1970. Zero-initialised is empty. */
struct days {
    int n;
    int64_t list[DAYS_MAX];
};

void days_add(struct days *days, int64_t at_ns);

/* Makes those of the needed days that are not in there, as partitions of the table, and notes them there. Each is a transaction of its own:
 * call outside of one. DB_AWAY: one could not be made now; DB_REFUSED: a day is too far from today. */
enum db_status days_make(const struct days *needed, struct days *there, struct db *db, const char *table)
    __attribute__((warn_unused_result));

#endif
