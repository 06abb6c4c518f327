/* The right to write what one engine's instances print or use: one session at a time has it. It lives in the very connection
 * that writes, so whoever loses the connection loses the right with it. */
#ifndef SKYLARK_COLLECTOR_RIGHT_H
#define SKYLARK_COLLECTOR_RIGHT_H

#include <stdbool.h>

#include "common/db.h"
#include "engine/engine.h"

struct right {
    const char *what; /* what may be written: one right each */
    struct db *db;
    struct engine *engine;
    char installation[40]; /* set while the right is held */
    char engine_id[80];
    unsigned connection; /* db_connections() when it was taken; 0: not held */
};

enum right_status {
    RIGHT_HELD,    /* as before */
    RIGHT_TAKEN,   /* just now: whatever was in hand is to be forgotten */
    RIGHT_STANDBY, /* another session has it */
    RIGHT_AWAY,    /* database or engine don't answer */
};

/* Makes sure of it. After anything but RIGHT_HELD nothing in hand may be written. Blocks up to the deadlines of both. */
enum right_status right_take(struct right *right) __attribute__((warn_unused_result));

#endif
