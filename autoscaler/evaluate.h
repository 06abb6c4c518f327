/* The role that evaluates services, and what the process counts of it. */
#ifndef SKYLARK_AUTOSCALER_EVALUATE_H
#define SKYLARK_AUTOSCALER_EVALUATE_H

#include <stddef.h>

#include "common/metrics.h"

/* context: struct autoscaler_settings. Runs until signals_stop(); returns an exit status. */
int evaluate_run(void *context, int index);

extern const struct metric autoscaler_metrics[];
extern const size_t autoscaler_n_metrics;

#endif
