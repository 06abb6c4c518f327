/* What skylarkctl shows: tables, and failures in words. */
#ifndef SKYLARK_CTL_OUTPUT_H
#define SKYLARK_CTL_OUTPUT_H

#include "ctl/commands.h"

/* Prints a result as an aligned table with its column names; "none" when it has no rows. */
void output_table(const PGresult *result);

/* Runs a statement and prints its rows. Returns the exit status. */
int output_query(struct ctl *ctl, unsigned statement, const char *const *params);
/* The same with a title line before the rows, unless title is NULL. *rows: how many there were. If there were none and missing is
 * not NULL, it says missing on standard error instead and returns EXIT_FAILED. */
int output_query_titled(struct ctl *ctl, const char *title, unsigned statement, const char *const *params, const char *missing,
                        int *rows);

/* Runs a statement that changes something; prints done, or missing when it changed no row. Returns the exit status. */
int output_change(struct ctl *ctl, unsigned statement, const char *const *params, const char *done,
                  const char *missing);

/* Says on standard error why a call failed; constraints in words. Returns EXIT_FAILED. */
int output_failure(struct ctl *ctl, enum db_status status);

#endif
