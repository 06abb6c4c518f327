/* The right to write what one engine's instances print or use: one session at a time has it. It lives in the very connection
 * that writes, so whoever loses the connection loses the right with it. */
#ifndef SKYLARK_COLLECTOR_RIGHT_H
#define SKYLARK_COLLECTOR_RIGHT_H

#include <stdbool.h>

#include "collector/settings.h"
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
    RIGHT_TAKEN,   /* just now: what was going on over the connection before is over */
    RIGHT_STANDBY, /* another session has it */
    RIGHT_AWAY,    /* database or engine don't answer */
};

/* Opens both connections for the right to write what (which stays valid), without using them. Returns 0, or -1 when memory ran
 * out or the engine's endpoint makes no sense (logged); close it either way. */
int right_open(struct right *right, const struct collector_settings *settings, const char *what) __attribute__((warn_unused_result));
void right_close(struct right *right);

/* Whether instances were announced since the last call; each call takes it. */
bool right_announced(struct right *right);

/* Makes sure of it. After anything but RIGHT_HELD nothing in hand may be written. Blocks up to the deadlines of both. */
enum right_status right_take(struct right *right) __attribute__((warn_unused_result));

#endif
