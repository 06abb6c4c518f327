/* Which networks instances are in. A namespace has one. A service with an internal-endpoint is apart: it has one of its own, and
 * one more with each service that it is linked with, in which only these two are. */
#ifndef SKYLARK_DEPLOYER_NETWORKS_H
#define SKYLARK_DEPLOYER_NETWORKS_H

#include "deployer/lease.h"
#include "engine/engine.h"

/* Makes the network that a service's containers are made in. *refused: the engine says no, engine_error() why. */
enum pass_status networks_prepare(struct role *role, struct service *s, bool *refused) __attribute__((warn_unused_result));

/* Before an instance is started: it is in the networks of its links, and so is everyone at their other ends. *refused: it can't be
 * put into one that it has a link by, engine_error() says why. */
enum pass_status networks_join(struct role *role, struct service *s, const struct plan_instance *i, bool *refused)
    __attribute__((warn_unused_result));

/* Puts those of the service's containers that run, and those at the other ends, into the networks of links that were made since,
 * and those of before, when it is apart no more, into that of its namespace. What the engine refuses of a link stands in
 * s->network_fault. */
enum pass_status networks_keep(struct role *role, struct service *s, const struct engine_container_list *list)
    __attribute__((warn_unused_result));

/* Once all instances are as they are wanted: removes the networks that were for instances before. *left: not all; it is to be
 * called again later. */
enum pass_status networks_prune(struct role *role, struct service *s, bool *left) __attribute__((warn_unused_result));

/* A deleted service takes its networks with it, and the last of a namespace the namespace's. */
enum pass_status networks_remove(struct role *role, struct service *s) __attribute__((warn_unused_result));

#endif
