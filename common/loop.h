/* The head of every loop that waits for work. It counts the iterations by role, so that /metrics shows a loop that
 * iterates without cause (skylark_loop_iterations_total). */
#ifndef SKYLARK_COMMON_LOOP_H
#define SKYLARK_COMMON_LOOP_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

/* Maps the counters of n roles, in memory that forked children share. names: NULL-terminated, and stays valid. Call it
 * before anything is forked. Returns 0, or -1 (logged). */
int loop_open(const char *const *names) __attribute__((warn_unused_result));

/* Whose iterations this process counts from now on: a number in names. */
void loop_enter(size_t role);

/* Counts one iteration: of a loop inside a loop, too. Never blocks; does nothing before loop_open. */
void loop_count(void);

/* Counts one iteration and returns whether there is one, that is, until signals_stop(). */
bool loop_next(void);

/* Adds the counters in Prometheus' text format. */
void loop_render(struct buf *out);

#endif
