/* What skylark-router counts of itself. */
#ifndef SKYLARK_ROUTER_FIGURES_H
#define SKYLARK_ROUTER_FIGURES_H

#include "common/metrics.h"

enum { FIGURE_RELOADS, FIGURE_REFUSED, FIGURE_ENDPOINTS, FIGURE_SERVERS, FIGURE_DRAINING, FIGURE_OLD_WORKERS, FIGURE_FAULTY };

extern const struct metric router_metrics[];
extern const size_t router_n_metrics;

#endif
