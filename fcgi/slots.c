/* Slots that all workers of this host share.
 *
 * A slot is taken by locking its mutex. These mutexes are robust: when a process dies, however it does, the kernel marks those that
 * it held, and the next one to try gets the mutex with EOWNERDEAD. A number of the holder's process instead would have to be
 * compared with those that live, and could be another process by then. */
#include "fcgi/slots.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "common/clock.h"
#include "common/log.h"

struct slot {
    pthread_mutex_t held;
    atomic_uint_least64_t key; /* whom its holder works for; 0 when nobody holds it, or for no key */
    atomic_int_least64_t since_ms; /* on the monotonic clock; 0 when nobody holds it */
};

struct slots {
    struct slot slots[SLOTS_MAX];
};

struct slots *slots_open(const char *what)
{
    struct slots *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED) {
        log_error("memory for %s: %m", what);
        return NULL;
    }
    pthread_mutexattr_t attributes;
    bool ok = pthread_mutexattr_init(&attributes) == 0 &&
              pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0 &&
              pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0;
    for (size_t i = 0; i < SLOTS_MAX && ok; i++)
        ok = pthread_mutex_init(&s->slots[i].held, &attributes) == 0;
    if (ok)
        return s;
    log_error("%s can't be shared between processes", what);
    munmap(s, sizeof *s);
    return NULL;
}

/* Whether this process has the slot now. */
static bool slot_lock(struct slot *slot)
{
    int status = pthread_mutex_trylock(&slot->held);
    if (status == EOWNERDEAD)
        status = pthread_mutex_consistent(&slot->held);
    return status == 0;
}

static void slot_unlock(struct slot *slot)
{
    atomic_store(&slot->since_ms, 0);
    atomic_store(&slot->key, 0);
    pthread_mutex_unlock(&slot->held);
}

/* How many slots are held for the key. One that bears it and can be locked is a dead worker's. */
static size_t held_for(struct slots *s, uint64_t key, size_t mine)
{
    size_t n = 0;
    for (size_t i = 0; i < SLOTS_MAX; i++) {
        if (atomic_load(&s->slots[i].key) != key)
            continue;
        if (i != mine && slot_lock(&s->slots[i]))
            slot_unlock(&s->slots[i]);
        else
            n++;
    }
    return n;
}

int slots_take(struct slots *s, size_t limit, uint64_t key, size_t share)
{
    size_t i = 0;
    if (limit > SLOTS_MAX)
        limit = SLOTS_MAX;
    while (i < limit && !slot_lock(&s->slots[i]))
        i++;
    if (i == limit)
        return SLOTS_FULL;
    /* First taken, then counted: two that do so at once see each other, and never both believe to be the last. */
    atomic_store(&s->slots[i].key, key);
    if (key != 0 && held_for(s, key, i) > share) {
        slot_unlock(&s->slots[i]);
        return SLOTS_SHARE_FULL;
    }
    atomic_store(&s->slots[i].since_ms, clock_monotonic_ms());
    return (int)i;
}

int64_t slots_oldest_ms(struct slots *s, uint64_t key)
{
    int64_t oldest = INT64_MAX;
    for (size_t i = 0; i < SLOTS_MAX; i++) {
        int64_t since = atomic_load(&s->slots[i].since_ms);
        if (since != 0 && since < oldest && (key == 0 || atomic_load(&s->slots[i].key) == key))
            oldest = since;
    }
    return oldest == INT64_MAX ? 0 : clock_monotonic_ms() - oldest;
}

void slots_give(struct slots *s, int slot)
{
    if (slot >= 0)
        slot_unlock(&s->slots[slot]);
}
