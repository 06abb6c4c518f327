/* Counters that all workers share: requests by route and status, and how long they took. They live in memory that
 * the master maps before it forks, so that any worker can show the sums, and survive a worker's death. */
#ifndef SKYLARK_FCGI_HTTP_METRICS_H
#define SKYLARK_FCGI_HTTP_METRICS_H

#include <stdint.h>

#include "common/buf.h"

struct route;

/* Maps the counters. Call once, before the workers are forked. Returns 0, or -1 (logged). */
int http_metrics_open(void) __attribute__((warn_unused_result));

/* Counts one answered request, and the statements that it took. route: NULL when none was found. Never blocks. */
void http_metrics_count(const struct route *route, int status, int64_t microseconds, uint64_t statements);

/* Adds all counters in Prometheus' text format. */
void http_metrics_render(struct buf *out);

#endif
