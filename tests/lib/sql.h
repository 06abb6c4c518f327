/* A PostgreSQL of the tests' own (tests/lib/with_postgres.sh): databases, connections, and short ways to ask. */
#ifndef SKYLARK_TESTS_LIB_SQL_H
#define SKYLARK_TESTS_LIB_SQL_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "common/db.h"

/* Makes an empty database of that name, anew. */
void sql_database(const char *name);

/* Runs skylarkctl against a database. Returns its exit status; its output goes to *output (NULL: dropped), which the
 * caller frees. */
int sql_ctl(const char *database, const char *words, char **output);

/* A connection as that role; the test run ends when it can't be had. */
PGconn *sql_connect(const char *database, const char *role);

/* A connection to a migrated database with a user demo, shared by the suites. */
PGconn *sql_migrated(void);

/* The same, with one service "web" of demo, anew for each test. */
#define SQL_SERVICE "11111111-1111-4111-8111-111111111111"
PGconn *sql_with_service(void);

/* Runs text. Returns the SQLSTATE, "" when all went well. Valid until the next call. */
const char *sql_run(PGconn *conn, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Waits until the other connection waits for a lock. Returns whether it does (else its statement has ended, or nothing happens). */
bool sql_waits_for_lock(PGconn *conn, PGconn *other);

/* The first value, "" for none. Valid until the next call. */
const char *sql_value(PGconn *conn, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Runs a statement of sql/queries/ with params, by its {STATEMENT}_P_… (NULL: it has none). The caller clears the result. */
PGresult *sql_statement(PGconn *conn, const struct db_statement *statement, const char *const *params);

/* The value in the column of that name, which must be there: for results of a test's own SQL. */
const char *sql_column(const PGresult *result, int row, const char *name);

#endif
