/* Memory that lives as long as one request: handlers take from it what they need, and one call gives all of it back. */
#ifndef SKYLARK_FCGI_ARENA_H
#define SKYLARK_FCGI_ARENA_H

#include <stdbool.h>
#include <stddef.h>

/* Zero-initialised is empty and ready. */
struct arena {
    struct arena_block *blocks;
    struct arena_owned *owned;
    bool failed; /* memory ran out once: the request is answered 500 */
};

/* size bytes of zeros, aligned for any type. NULL, with failed set, when memory ran out. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc, warn_unused_result));

/* printf into memory of the arena. NULL, with failed set, when memory ran out. */
char *arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3), warn_unused_result));

/* Has release(object) called by arena_free, the latest first; or at once, when memory ran out (then failed is set and false
 * returned). Passes NULL over. */
bool arena_own(struct arena *arena, void (*release)(void *object), void *object);

/* Gives all back; the arena is empty and ready again. */
void arena_free(struct arena *arena);

#endif
