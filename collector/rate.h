/* Makes a sample of two looks at what a container has used. Pure. */
#ifndef SKYLARK_COLLECTOR_RATE_H
#define SKYLARK_COLLECTOR_RATE_H

#include <stdbool.h>

#include "engine/engine.h"

struct sample {
    int64_t at_ns;
    double cpu_utilization, memory_utilization; /* fractions of the limits, 0 to 1 */
    double network_in, network_out;             /* bytes per second */
    struct engine_usage counters;               /* what the later look saw */
};

/* cpu_millis: the container's limit (0: all CPUs of the node). Returns false when the two looks make no sample: a counter
 * went back because the container was restarted in between, or hardly any time has passed. */
bool rate_between(const struct engine_usage *before, const struct engine_usage *now, int64_t cpu_millis, struct sample *sample)
    __attribute__((warn_unused_result));

#endif
