/* Signals as file descriptors: SIGTERM, SIGINT, SIGHUP and SIGCHLD are blocked and read where a
 * process waits anyway, so that no handler ever interrupts anything.
 *
 * A signal ends one wait, not every wait from then on: a loop that does not take what has arrived
 * sleeps all the same. So a loop cannot spin on a signal that nobody takes. */
#ifndef SKYLARK_COMMON_SIGNALS_H
#define SKYLARK_COMMON_SIGNALS_H

#include <stdbool.h>

/* What a process takes. All are blocked; the others stay unread and end no wait. */
enum signals {
    SIGNALS_STOP = 1,   /* SIGTERM, SIGINT: signals_stop() */
    SIGNALS_RELOAD = 2, /* SIGHUP: signals_reload() */
    SIGNALS_CHILD = 4,  /* SIGCHLD: signals_child() */
};

/* Blocks them and opens the descriptor for those in takes (of enum signals, or-ed); SIGPIPE is ignored. Call it again in a
 * forked child, which must have its own. Returns the descriptor to poll, or -1. */
int signals_open(unsigned takes) __attribute__((warn_unused_result));

/* The descriptor, for who waits with something else than signals_wait; -1 before signals_open. It is readable until
 * signals_stop() or another of these is called. */
int signals_descriptor(void);

/* Takes what has arrived, without blocking; call it when the descriptor is readable, or at any time.
 * Returns whether to stop (SIGTERM or SIGINT, and it stays so). */
bool signals_stop(void);

/* Whether one has arrived since the last call; each call takes it. */
bool signals_reload(void); /* SIGHUP */
bool signals_child(void);  /* SIGCHLD */

/* Waits until fd (-1: none) is readable, a signal has come that no wait has reported yet, or ms milliseconds have
 * passed (-1: no limit). Once to stop was reported, waits are short (50 ms at most), but they are waits. Returns whether fd
 * is readable. */
bool signals_wait(int fd, int ms);

#endif
