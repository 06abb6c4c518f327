/* What skylark-deployer counts of itself. */
#include "deployer/figures.h"

static const char *const states[] = {"created", "running", "exited", NULL}; /* as enum engine_container_state */
static const char *const failures[] = {"engine", "database", NULL};
static const char *const pulls[] = {"pulled", "failed", NULL};
static const char *const strays[] = {"removed", "failed", NULL};

const struct metric deployer_metrics[] = {
    [FIGURE_PASSES] = {.name = "skylark_deployer_passes_total", .type = METRIC_COUNTER, .help = "Passes over a service."},
    [FIGURE_PASS_FAILURES] = {.name = "skylark_deployer_pass_failures_total", .type = METRIC_COUNTER, .label = "cause",
                              .values = failures, .help = "Passes that did not come to their end, by what did not answer."},
    [FIGURE_PASS_TIME] = {.name = "skylark_deployer_pass_seconds_total", .type = METRIC_COUNTER, .divisor = 1000,
                          .help = "Time spent in passes."},
    [FIGURE_INSTANCES] = {.name = "skylark_deployer_instances", .type = METRIC_GAUGE, .label = "state", .values = states,
                          .help = "Containers of the installation on the engine, by state."},
    [FIGURE_COMPARISONS] = {.name = "skylark_deployer_comparisons_total", .type = METRIC_COUNTER,
                            .help = "Comparisons of all containers with all rows."},
    [FIGURE_PULLS] = {.name = "skylark_deployer_pulls_total", .type = METRIC_COUNTER, .label = "result", .values = pulls,
                      .help = "Images pulled, or not."},
    [FIGURE_STRAYS] = {.name = "skylark_deployer_strays_total", .type = METRIC_COUNTER, .label = "result", .values = strays,
                       .help = "Removals of containers that no live instance stands for, by whether they went well."},
};
const size_t deployer_n_metrics = sizeof deployer_metrics / sizeof deployer_metrics[0];
