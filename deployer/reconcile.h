/* One pass over one service: look, decide, act, write down what is seen. Waits for nothing but the calls themselves. */
#ifndef SKYLARK_DEPLOYER_RECONCILE_H
#define SKYLARK_DEPLOYER_RECONCILE_H

#include "deployer/observe.h"

/* s->id and the queue's fields are set, as claimed. The lease is given back at the end, unless the database is away. */
void reconcile_service(struct role *role, struct service *s);

#endif
