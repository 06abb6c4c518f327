/* A master that keeps children of several roles running: respawns a dead one with back-off, replaces
 * all one for one on SIGHUP, drains them on SIGTERM. Used by every process that pre-forks. */
#ifndef SKYLARK_COMMON_SUPERVISOR_H
#define SKYLARK_COMMON_SUPERVISOR_H

#include <stddef.h>
#include <stdint.h>

struct supervisor_role {
    const char *name; /* shown in the process title and in the log */
    int count;
    /* Runs in the child until signals_stop(); its return value is the child's exit status. The child
     * has its own signals_open() already, gets SIGTERM when the master dies, and shares no
     * connection with anyone. index: 0 … count-1. */
    int (*run)(void *context, int index);
};

/* Exit status of a child that must not be started again: the master stops all and exits with it. For
 * what only a person can mend (another engine than the recorded one, a schema we don't know is not
 * such a case: that is waited out). */
#define SUPERVISOR_EXIT_REFUSED 78

struct supervisor_options {
    const struct supervisor_role *roles;
    size_t n_roles;
    void *context;
    /* How long children may take after SIGTERM before SIGKILL. Read whenever one is told to end, so that a reload may change it. */
    const int64_t *drain_ms;
    /* On SIGHUP: load the configuration anew into context and, when it is good, return 0; the master then replaces the children
     * one for one: half of each role is told to end, each successor starts when its predecessor has ended, then the other half. So
     * there are never more children than the counts say (but for those that a smaller count retires, until they have ended). On -1 all stays
     * as it is. May be NULL. May change roles[].count (the table is the caller's). */
    int (*reload)(void *context);
};

/* Blocks until SIGTERM or SIGINT and all children have ended. Returns the exit status. Tells systemd
 * (sd_notify protocol) when it is ready, reloading and stopping. */
int supervisor_run(const struct supervisor_options *options) __attribute__((warn_unused_result));

#endif
