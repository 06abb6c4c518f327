/* Signals as file descriptors: SIGTERM, SIGINT, SIGHUP and SIGCHLD are blocked and read where a
 * process waits anyway, so that no handler ever interrupts anything. */
#ifndef SKYLARK_COMMON_SIGNALS_H
#define SKYLARK_COMMON_SIGNALS_H

#include <stdbool.h>

/* Blocks them and opens the descriptor; SIGPIPE is ignored. Call it again in a forked child, which
 * must have its own. Returns the descriptor to poll, or -1. */
int signals_open(void) __attribute__((warn_unused_result));

/* Takes what has arrived, without blocking; call it when the descriptor is readable, or at any time.
 * Returns whether to stop (SIGTERM or SIGINT, and it stays so). */
bool signals_stop(void);

/* Whether one has arrived since the last call; each call takes it. */
bool signals_reload(void); /* SIGHUP */
bool signals_child(void);  /* SIGCHLD */

/* Waits until fd (-1: none) is readable, a signal has come or ms milliseconds have passed (-1: no
 * limit). Returns whether fd is readable. */
bool signals_wait(int fd, int ms);

#endif
