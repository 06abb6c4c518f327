/* What skylark-collector counts of itself, shown at /metrics. */
#ifndef SKYLARK_COLLECTOR_FIGURES_H
#define SKYLARK_COLLECTOR_FIGURES_H

#include "common/metrics.h"

enum collector_figure {
    FIGURE_LOG_LINES,
    FIGURE_LOG_BYTES,
    FIGURE_LOG_EXPIRED,
    FIGURE_LOG_LAG,
    FIGURE_LOG_STORE_FAILURES,
    FIGURE_LOGS_FOLLOWED,
    FIGURE_SAMPLES,
    FIGURE_SAMPLE_LAG,
    FIGURE_SAMPLE_FAILURES,
    FIGURE_INSTANCES_SAMPLED,
};

extern const struct metric collector_metrics[];
extern const size_t collector_n_metrics;

#endif
