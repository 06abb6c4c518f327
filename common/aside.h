/* A call that may block for longer than we can wait, made in a thread of its own: libpq has some that look up names or wait
 * for a server without any deadline. */
#ifndef SKYLARK_COMMON_ASIDE_H
#define SKYLARK_COMMON_ASIDE_H

#include <stdbool.h>
#include <stdint.h>

struct aside;

struct aside_call {
    void (*run)(void *context);  /* in the thread */
    void (*free)(void *context); /* frees the context and what run made in it: by whichever side is done last */
};

/* Starts the call. From here on the context belongs to it. NULL, with the context freed, when there is no thread to be had. */
struct aside *aside_start(const struct aside_call *call, void *context) __attribute__((warn_unused_result));

/* Waits until the call has returned or the deadline (monotonic milliseconds) has passed. Returns whether it has returned;
 * then the context may be looked at. */
bool aside_wait(struct aside *a, int64_t deadline_ms) __attribute__((warn_unused_result));

/* Lets go of it: a call that has not returned goes on, and is cleared away when it does. Accepts NULL. */
void aside_release(struct aside *a);

#endif
