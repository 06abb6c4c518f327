/* The settings of skylark-collector. */
#ifndef SKYLARK_COLLECTOR_SETTINGS_H
#define SKYLARK_COLLECTOR_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "common/config.h"

struct collector_settings {
    char *database;
    char *engine;
    char *metrics_listen;
    int64_t engine_deadline_ms;
    int64_t pass_interval_ms;
    int64_t flush_interval_ms, flush_bytes;
    int64_t sample_interval_ms;
    int64_t maintenance_interval_ms, log_retention_ms, metric_retention_ms, event_retention_ms, pull_retention_ms, token_retention_ms, days_ahead;
    int64_t connect_deadline_ms, query_deadline_ms, drain_deadline_ms;
    int64_t log_level;
};

extern const struct config_setting collector_setting_rows[];
extern const size_t collector_n_settings;

#endif
