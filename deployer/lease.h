/* The lease on the service that a pass is about. What a pass writes is written only while the lease holds (each statement sees to
 * it); what it does to the engine has no such guard, so the lease is kept long enough ahead of every call. */
#ifndef SKYLARK_DEPLOYER_LEASE_H
#define SKYLARK_DEPLOYER_LEASE_H

#include "deployer/role.h"
#include "deployer/service.h"

/* How far a pass got. */
enum pass_status {
    PASS_OK,
    PASS_DATABASE_AWAY, /* nothing can be written; the lease runs out by itself */
    PASS_ENGINE_AWAY,   /* engine_error() says why */
    PASS_LEASE_LOST,    /* another deployer has taken over: nothing more may be done */
    PASS_STOPPED,       /* the process was told to stop */
};

/* Notes that the lease was taken just now. */
void lease_taken(struct service *service);

/* Makes sure that the lease outlasts one call of the engine, and renews it when it must. Call it before every one. */
enum pass_status lease_keep(const struct role *role, struct service *service) __attribute__((warn_unused_result));

/* Renews it, and so finds out whether it is still held. */
enum pass_status lease_renew(const struct role *role, struct service *service) __attribute__((warn_unused_result));

/* What a statement that changes `expected` rows while the lease is held, and none without, means for the pass. */
enum pass_status lease_judge(enum db_status status, long changed, long expected) __attribute__((warn_unused_result));

#endif
