/* What skylark-deployer counts of itself, shown at /metrics. */
#ifndef SKYLARK_DEPLOYER_FIGURES_H
#define SKYLARK_DEPLOYER_FIGURES_H

#include "common/metrics.h"

enum deployer_figure {
    FIGURE_PASSES,
    FIGURE_PASS_FAILURES,
    FIGURE_PASS_TIME,
    FIGURE_INSTANCES,
    FIGURE_COMPARISONS,
    FIGURE_PULLS,
    FIGURE_STRAYS,
};

/* Of FIGURE_PASS_FAILURES, FIGURE_PULLS and FIGURE_STRAYS. */
enum { FAILURE_ENGINE, FAILURE_DATABASE };
enum { PULL_DONE, PULL_FAILED };
enum { STRAY_REMOVED, STRAY_FAILED };

extern const struct metric deployer_metrics[];
extern const size_t deployer_n_metrics;

#endif
