/* Whether an instance that runs is ready for requests. */
#ifndef SKYLARK_DEPLOYER_PROBE_H
#define SKYLARK_DEPLOYER_PROBE_H

#include "common/buf.h"
#include "deployer/lease.h"
#include "deployer/role.h"
#include "deployer/service.h"

enum probe_verdict {
    PROBE_READY,
    PROBE_WAITING,  /* a port does not answer yet, the health check has not said anything yet, or it runs no more */
    PROBE_UNHEALTHY /* its health check says so */
};

/* Asks the image's own health check where it has one, else each TCP port that the instance was made with. When it is not ready,
 * a sentence that says why is added to words. Blocks for some hundred milliseconds at most, but for the engine's deadline. */
enum pass_status probe_instance(struct role *role, struct service *service, const struct plan_instance *instance,
                                enum probe_verdict *verdict, struct buf *words) __attribute__((warn_unused_result));

#endif
