/* The table of SQLSTATEs. */
#include "common/db_condition.h"

#include <string.h>

/* What is over in a moment, and what a person has to mend first. */
#define SOON 500
#define LATER 5000

const struct db_condition db_conditions[] = {
    {.sqlstate = "08", .name = "connection_exception", .status = DB_AWAY, .backoff_ms = SOON, .reconnect = true},
    /* A statement that can't be run as it was prepared, such as after a migration: prepared anew it can. */
    {.sqlstate = "0A000", .name = "feature_not_supported", .status = DB_AWAY, .backoff_ms = SOON, .reconnect = true},
    {.sqlstate = "26000", .name = "invalid_sql_statement_name", .status = DB_AWAY, .backoff_ms = SOON, .reconnect = true},
    {.sqlstate = "22", .name = "data_exception", .status = DB_REFUSED},
    {.sqlstate = "23", .name = "integrity_constraint_violation", .status = DB_REFUSED},
    {.sqlstate = "23505", .name = "unique_violation", .status = DB_CONFLICT},
    {.sqlstate = "23P01", .name = "exclusion_violation", .status = DB_CONFLICT},
    {.sqlstate = "25", .name = "invalid_transaction_state", .status = DB_FAILED, .backoff_ms = SOON},
    /* A standby: with several hosts in the connection string a new connection finds the primary. */
    {.sqlstate = "25006", .name = "read_only_sql_transaction", .status = DB_AWAY, .backoff_ms = LATER, .reconnect = true,
     .words = "The database takes no changes at the moment: it is read-only."},
    {.sqlstate = "25P03", .name = "idle_in_transaction_session_timeout", .status = DB_AWAY, .backoff_ms = SOON,
     .reconnect = true},
    {.sqlstate = "28", .name = "invalid_authorization_specification", .status = DB_AWAY, .backoff_ms = LATER,
     .reconnect = true},
    {.sqlstate = "3D000", .name = "invalid_catalog_name", .status = DB_AWAY, .backoff_ms = LATER, .reconnect = true},
    {.sqlstate = "40", .name = "transaction_rollback", .status = DB_RETRY, .backoff_ms = SOON},
    {.sqlstate = "40001", .name = "serialization_failure", .status = DB_RETRY},
    {.sqlstate = "40P01", .name = "deadlock_detected", .status = DB_RETRY},
    {.sqlstate = "42", .name = "syntax_error_or_access_rule_violation", .status = DB_FAILED, .backoff_ms = LATER},
    {.sqlstate = "42501", .name = "insufficient_privilege", .status = DB_FAILED, .backoff_ms = LATER},
    {.sqlstate = "53", .name = "insufficient_resources", .status = DB_AWAY, .backoff_ms = LATER,
     .words = "The database has run out of something that it needs."},
    {.sqlstate = "53100", .name = "disk_full", .status = DB_AWAY, .backoff_ms = LATER,
     .words = "The database takes no changes at the moment: its disk is full."},
    {.sqlstate = "53200", .name = "out_of_memory", .status = DB_AWAY, .backoff_ms = LATER,
     .words = "The database has no memory left for this at the moment."},
    {.sqlstate = "53300", .name = "too_many_connections", .status = DB_AWAY, .backoff_ms = SOON, .reconnect = true},
    {.sqlstate = "55", .name = "object_not_in_prerequisite_state", .status = DB_AWAY, .backoff_ms = SOON},
    {.sqlstate = "55P03", .name = "lock_not_available", .status = DB_AWAY, .backoff_ms = SOON,
     .words = "Another change holds a lock on what this is about, and did not end in time; nothing was changed."},
    {.sqlstate = "57", .name = "operator_intervention", .status = DB_AWAY, .backoff_ms = SOON},
    {.sqlstate = "57014", .name = "query_canceled", .status = DB_AWAY, .backoff_ms = SOON,
     .words = "The database took longer over this than it may; nothing was changed."},
    {.sqlstate = "57P01", .name = "admin_shutdown", .status = DB_AWAY, .backoff_ms = SOON, .reconnect = true},
    {.sqlstate = "57P02", .name = "crash_shutdown", .status = DB_AWAY, .backoff_ms = SOON, .reconnect = true},
    {.sqlstate = "57P03", .name = "cannot_connect_now", .status = DB_AWAY, .backoff_ms = SOON, .reconnect = true},
    {.sqlstate = "57P04", .name = "database_dropped", .status = DB_AWAY, .backoff_ms = LATER, .reconnect = true},
    {.sqlstate = "57P05", .name = "idle_session_timeout", .status = DB_AWAY, .backoff_ms = SOON, .reconnect = true},
    {.sqlstate = "58", .name = "system_error", .status = DB_AWAY, .backoff_ms = LATER,
     .words = "The database's machine has trouble."},
    {.sqlstate = "P0001", .name = "raise_exception", .status = DB_REFUSED},
    {.sqlstate = "XX001", .name = "data_corrupted", .status = DB_FAILED, .backoff_ms = LATER},
    {.sqlstate = "XX002", .name = "index_corrupted", .status = DB_FAILED, .backoff_ms = LATER},
};
const size_t db_n_conditions = sizeof db_conditions / sizeof db_conditions[0];

static const struct db_condition no_answer = {
    .sqlstate = "", .name = "no_answer", .status = DB_AWAY, .backoff_ms = SOON, .reconnect = true,
};
/* Nobody knows how long it stays: a loop must not spin on it. */
static const struct db_condition unknown = {.sqlstate = "", .name = "unknown", .status = DB_FAILED, .backoff_ms = LATER};

const struct db_condition *db_condition_find(const char *sqlstate)
{
    if (sqlstate == NULL || sqlstate[0] == '\0')
        return &no_answer;
    const struct db_condition *found = &unknown;
    size_t longest = 0;
    for (size_t i = 0; i < db_n_conditions; i++) {
        size_t len = strlen(db_conditions[i].sqlstate);
        if (len > longest && strncmp(sqlstate, db_conditions[i].sqlstate, len) == 0) {
            longest = len;
            found = &db_conditions[i];
        }
    }
    return found;
}
