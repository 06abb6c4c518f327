/* From a request to its answer: finds the route, enforces what its row says, calls the handler. */
#ifndef SKYLARK_FCGI_DISPATCH_H
#define SKYLARK_FCGI_DISPATCH_H

#include "fcgi/request.h"

/* Call once, before the workers are forked. Returns 0, or -1 (logged). */
int dispatch_open(void) __attribute__((warn_unused_result));

/* Answers a request that request_open filled, and sends the answer. */
void dispatch(struct request *rq);

/* What can wait until the client has its answer: once a minute the token's last use is noted. Call it when all of the answer
 * is out, before request_close. */
void dispatch_after(struct request *rq);

#endif
