/* What an error of PostgreSQL means to us, a row for each SQLSTATE or class of them. */
#ifndef SKYLARK_COMMON_DB_CONDITION_H
#define SKYLARK_COMMON_DB_CONDITION_H

#include "common/db.h"

struct db_condition {
    const char *sqlstate; /* the first 1 to 5 characters of those that it is about; the longest that fits holds */
    const char *name;     /* for logs and metrics */
    enum db_status status;
    int backoff_ms;    /* a loop that met it waits so long before it tries again */
    bool reconnect;    /* the connection is of no use any more, or a new one may lead to a server that can */
    const char *words; /* for the client of the API; NULL: its status says enough */
};

extern const struct db_condition db_conditions[];
extern const size_t db_n_conditions;

/* The row for a SQLSTATE. NULL or "": that of no answer at all; one that no row is about: that of the unknown. Never NULL. */
const struct db_condition *db_condition_find(const char *sqlstate);

#endif
