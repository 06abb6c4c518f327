/* The suites of connections to PostgreSQL; main.c runs them all. */
#ifndef SKYLARK_TESTS_DATABASE_SUITES_H
#define SKYLARK_TESTS_DATABASE_SUITES_H

#include <sys/types.h>

#include "common/db.h"
#include "tests/lib/check.h"
#include "tests/lib/sql.h"

extern const struct check_test tests_bounds[], tests_connect[], tests_api[];

/* The connection string of the shared database, for the role. Valid until the next call. */
const char *database_of(const char *role);

/* Waits until the query gives the value, for a minute at the most. Returns whether it does. */
bool becomes(PGconn *c, const char *value, const char *query);

/* Runs body in a process of its own, for a minute at the most; meanwhile it may be stopped where it waits. Returns whether it
 * ended by itself, with true. */
bool ends(bool (*body)(void));

/* Sends a signal to the postmaster and to all of its children. */
void postgres_signal(PGconn *owner, int signal_number);

#endif
