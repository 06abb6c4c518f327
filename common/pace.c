/* Least waits of loops. */
#include "common/pace.h"

#define LEAST_MS 20
#define OVERDUE_MOST_MS 1000

void pace_progress(struct pace *p)
{
    p->wait_ms = 0;
}

int pace_wait(struct pace *p, int64_t due_ms, bool overdue, int most_ms)
{
    int64_t wait = due_ms < 0 || due_ms > most_ms ? most_ms : due_ms;
    if (overdue) {
        p->wait_ms = p->wait_ms < LEAST_MS / 2 ? LEAST_MS : p->wait_ms > OVERDUE_MOST_MS / 2 ? OVERDUE_MOST_MS : 2 * p->wait_ms;
        if (p->wait_ms < wait)
            wait = p->wait_ms;
    } else {
        p->wait_ms = 0;
    }
    return wait < LEAST_MS ? LEAST_MS : (int)wait;
}
