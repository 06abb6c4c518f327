/* What skylark-collector counts of itself. */
#include "collector/figures.h"

const struct metric collector_metrics[] = {
    [FIGURE_LOG_LINES] = {.name = "skylark_collector_log_lines_total", .type = METRIC_COUNTER, .help = "Log rows stored."},
    [FIGURE_LOG_BYTES] = {.name = "skylark_collector_log_bytes_total", .type = METRIC_COUNTER,
                          .help = "Bytes of log messages stored."},
    [FIGURE_LOG_EXPIRED] = {.name = "skylark_collector_log_lines_expired_total", .type = METRIC_COUNTER,
                            .help = "Log rows that were past log_retention when they were read, and not stored."},
    [FIGURE_LOG_LAG] = {.name = "skylark_collector_log_lag_seconds", .type = METRIC_GAUGE, .divisor = 1000,
                        .help = "Age of the oldest line of the latest batch when it was stored."},
    [FIGURE_LOG_STORE_FAILURES] = {.name = "skylark_collector_log_store_failures_total", .type = METRIC_COUNTER,
                                   .help = "Batches that could not be stored; their lines are read again."},
    [FIGURE_LOGS_FOLLOWED] = {.name = "skylark_collector_logs_followed", .type = METRIC_GAUGE,
                              .help = "Logs that are not complete yet."},
    [FIGURE_SAMPLES] = {.name = "skylark_collector_samples_total", .type = METRIC_COUNTER, .help = "Metric samples stored."},
    [FIGURE_SAMPLE_LAG] = {.name = "skylark_collector_sample_lag_seconds", .type = METRIC_GAUGE, .divisor = 1000,
                           .help = "How much later than planned the latest of the samples under way or due is."},
    [FIGURE_SAMPLE_FAILURES] = {.name = "skylark_collector_sample_failures_total", .type = METRIC_COUNTER,
                                .help = "Samples that the engine did not give, or that could not be stored."},
    [FIGURE_INSTANCES_SAMPLED] = {.name = "skylark_collector_instances_sampled", .type = METRIC_GAUGE,
                                  .help = "Running instances that are sampled."},
};
const size_t collector_n_metrics = sizeof collector_metrics / sizeof collector_metrics[0];
