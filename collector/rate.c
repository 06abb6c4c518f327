/* Makes a sample of two looks at what a container has used. */
#include "collector/rate.h"

#define NS_PER_SECOND 1e9
/* CPU time is accounted for in periods of 0.1 s: rates over less say little. */
#define LEAST_NS (INT64_C(50) * 1000000)

static double fraction(double used, double limit)
{
    if (limit <= 0)
        return 0;
    return used < limit ? used / limit : 1;
}

bool rate_between(const struct engine_usage *before, const struct engine_usage *now, int64_t cpu_millis, struct sample *sample)
{
    int64_t ns = now->at_ns - before->at_ns;
    if (ns < LEAST_NS || now->cpu_ns < before->cpu_ns || now->received_bytes < before->received_bytes ||
        now->sent_bytes < before->sent_bytes)
        return false;
    double cpus = cpu_millis > 0 ? (double)cpu_millis / 1000 : (double)(now->cpus > 0 ? now->cpus : 1);
    double seconds = (double)ns / NS_PER_SECOND;
    sample->at_ns = now->at_ns;
    sample->counters = *now;
    /* A period's allowance may be used up a moment before its time, so a little over the limit is the limit. */
    sample->cpu_utilization = fraction((double)(now->cpu_ns - before->cpu_ns), cpus * (double)ns);
    sample->memory_utilization = fraction((double)now->memory_bytes, (double)now->memory_limit_bytes);
    sample->network_in = (double)(now->received_bytes - before->received_bytes) / seconds;
    sample->network_out = (double)(now->sent_bytes - before->sent_bytes) / seconds;
    return true;
}
