/* What every child of the deployer has: its settings, connections, and the certainty that the engine is the right one. */
#ifndef SKYLARK_DEPLOYER_ROLE_H
#define SKYLARK_DEPLOYER_ROLE_H

#include "common/db.h"
#include "deployer/settings.h"
#include "engine/engine.h"

#define ROLE_NAME_SIZE 96
#define ROLE_ID_SIZE 80

struct role {
    const struct deployer_settings *settings;
    struct db *db;
    struct engine *engine;
    char name[ROLE_NAME_SIZE];           /* owner of its leases: host, process, role and something random */
    char installation[ROLE_ID_SIZE];
    char engine_id[ROLE_ID_SIZE];
    int64_t engine_cpus;
    bool engine_known; /* since it was last away */
};

enum role_readiness {
    ROLE_READY,
    ROLE_WAIT,   /* database or engine is away: try again soon */
    ROLE_REFUSE, /* the engine is another than the recorded one */
};

/* channel: what the role is woken by. Returns 0, or -1 (logged). */
int role_open(struct role *role, const struct deployer_settings *settings, const char *name, const char *channel)
    __attribute__((warn_unused_result));
void role_close(struct role *role);

/* Connects to both, and makes sure that the engine is the one that the installation has recorded; records it when none
 * is. Cheap while nothing has gone away. */
enum role_readiness role_ready(struct role *role) __attribute__((warn_unused_result));

/* Notes that the engine did not answer: it is looked at anew before it is used again. */
void role_engine_away(struct role *role);

/* Asks the engine whether it is there, after a call that it did not answer in time, and still the right one. */
bool role_engine_answers(struct role *role) __attribute__((warn_unused_result));

/* The roles, for the supervisor. context: struct deployer_settings. Each returns its exit status. */
int reconciler_run(void *context, int index);
int puller_run(void *context, int index);
int watcher_run(void *context, int index);

#endif
