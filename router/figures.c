/* What skylark-router counts of itself. */
#include "router/figures.h"

const struct metric router_metrics[] = {
    [FIGURE_RELOADS] = {.name = "skylark_router_reloads_total", .type = METRIC_COUNTER, .help = "New routes that nginx took up."},
    [FIGURE_REFUSED] = {.name = "skylark_router_refused_total", .type = METRIC_COUNTER,
                        .help = "New routes that nginx refused, or did not take up."},
    [FIGURE_ENDPOINTS] = {.name = "skylark_router_endpoints", .type = METRIC_GAUGE, .help = "Endpoints that are served."},
    [FIGURE_SERVERS] = {.name = "skylark_router_servers", .type = METRIC_GAUGE, .help = "Servers behind them: instances, by endpoint."},
    [FIGURE_DRAINING] = {.name = "skylark_router_draining", .type = METRIC_GAUGE,
                         .help = "Instances that get no more requests and still hold connections."},
    [FIGURE_OLD_WORKERS] = {.name = "skylark_router_old_workers", .type = METRIC_GAUGE,
                            .help = "Workers of nginx, after its latest load of routes, that only see their last connections through."},
    [FIGURE_FAULTY] = {.name = "skylark_router_faulty", .type = METRIC_GAUGE, .help = "1 while something keeps the latest routes from being served."},
};
const size_t router_n_metrics = sizeof router_metrics / sizeof router_metrics[0];
