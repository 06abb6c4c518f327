/* Slots that all workers of this host share: how many of them may do something expensive at the same time. They live in memory
 * that the master maps before it forks. Who finds no slot free is told so at once: nobody waits for one. A slot of a worker that
 * died is free again, without anybody's doing. */
#ifndef SKYLARK_FCGI_SLOTS_H
#define SKYLARK_FCGI_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#define SLOTS_MAX 512 /* as many as there may be workers, and a few */

enum { SLOTS_FULL = -1, SLOTS_SHARE_FULL = -2 };

struct slots;

/* Maps a set of slots, all of them free. Call before the workers are forked; they share it from then on. what names the set in the
 * log. NULL: not enough memory (logged). It is never given back: it lasts as long as the process. */
struct slots *slots_open(const char *what) __attribute__((warn_unused_result));

/* Takes one of the first limit slots, for key: of those that work for the same key there are never more than share. Key 0: no
 * key's share counts. Of several workers that ask for the last slot of one key at the same instant, none may get it. Returns the slot,
 * which goes to slots_give, or SLOTS_FULL (none is free), or SLOTS_SHARE_FULL (the key has its share). Never waits. */
int slots_take(struct slots *slots, size_t limit, uint64_t key, size_t share) __attribute__((warn_unused_result));

/* For how long the one that has been held for longest is held for the key; key 0: for any. 0: none is. One of a worker that died counts
 * until it is taken again. */
int64_t slots_oldest_ms(struct slots *slots, uint64_t key);

/* Gives a slot back that this process took. slot < 0: does nothing. */
void slots_give(struct slots *slots, int slot);

#endif
