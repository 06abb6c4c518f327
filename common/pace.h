/* How long a loop waits before its next iteration. A time that has come without progress is waited for all the same: what is
 * due may be somebody else's at this moment, or locked for hours. */
#ifndef SKYLARK_COMMON_PACE_H
#define SKYLARK_COMMON_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
    int wait_ms; /* the last one without progress; 0: there was progress since */
};

/* There was progress: the next wait without begins anew. */
void pace_progress(struct pace *p);

/* There was none. due_ms: milliseconds until something falls due that is not yet (below 0: nothing does). overdue: whether
 * something is that could not be taken. most_ms: the longest wait. Returns how long to wait, never 0: for what is overdue
 * twice as long each time, from 20 ms to a second. */
int pace_wait(struct pace *p, int64_t due_ms, bool overdue, int most_ms) __attribute__((warn_unused_result));

#endif
