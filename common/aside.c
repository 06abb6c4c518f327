/* Calls in a thread, with a deadline for those who wait for them. */
#include "common/aside.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

struct aside {
    struct aside_call call;
    void *context;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool returned, released;
};

static void aside_free(struct aside *a)
{
    a->call.free(a->context);
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->mutex);
    free(a);
}

static void *aside_main(void *argument)
{
    struct aside *a = argument;
    a->call.run(a->context);
    pthread_mutex_lock(&a->mutex);
    a->returned = true;
    bool released = a->released;
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->mutex);
    if (released)
        aside_free(a);
    return NULL;
}

struct aside *aside_start(const struct aside_call *call, void *context)
{
    struct aside *a = calloc(1, sizeof *a);
    if (a == NULL) {
        call->free(context);
        return NULL;
    }
    a->call = *call;
    a->context = context;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&a->mutex, NULL);
    pthread_cond_init(&a->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    /* Signals are the main thread's, whatever it has blocked or not. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    bool started = pthread_create(&thread, NULL, aside_main, a) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!started) {
        aside_free(a);
        return NULL;
    }
    pthread_detach(thread);
    return a;
}

bool aside_wait(struct aside *a, int64_t deadline_ms)
{
    struct timespec until = {.tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000};
    pthread_mutex_lock(&a->mutex);
    while (!a->returned && pthread_cond_timedwait(&a->changed, &a->mutex, &until) == 0)
        continue;
    bool returned = a->returned;
    pthread_mutex_unlock(&a->mutex);
    return returned;
}

void aside_release(struct aside *a)
{
    if (a == NULL)
        return;
    pthread_mutex_lock(&a->mutex);
    a->released = true;
    bool returned = a->returned;
    pthread_mutex_unlock(&a->mutex);
    if (returned)
        aside_free(a);
}
