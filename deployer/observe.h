/* What is there: the engine's containers of a service matched with its rows, and what was seen written down. */
#ifndef SKYLARK_DEPLOYER_OBSERVE_H
#define SKYLARK_DEPLOYER_OBSERVE_H

#include "deployer/lease.h"

/* Lists and inspects the service's containers, brings s->instances up to date, and writes every difference to the rows, each
 * instance by itself: of one that can't be inspected or written, s->fault says why.
 * Containers that no live row stands for are left to the watcher. */
enum pass_status observe_service(struct role *role, struct service *s) __attribute__((warn_unused_result));

/* Inspects the one container of an instance after something was done to it, and writes what is seen. */
enum pass_status observe_instance(struct role *role, struct service *s, struct plan_instance *instance)
    __attribute__((warn_unused_result));

/* Writes the row of an instance that has no container, with how it ended. */
enum pass_status observe_gone(struct role *role, struct service *s, struct plan_instance *instance, const char *reason)
    __attribute__((warn_unused_result));

/* What a failed call means for the pass. */
enum pass_status pass_of_db(enum db_status status);
enum pass_status pass_of_engine(struct role *role, enum engine_status status);

#endif
