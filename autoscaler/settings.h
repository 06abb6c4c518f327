/* The settings of skylark-autoscaler. */
#ifndef SKYLARK_AUTOSCALER_SETTINGS_H
#define SKYLARK_AUTOSCALER_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "common/config.h"

struct autoscaler_settings {
    char *database;
    char *metrics_listen;
    int64_t evaluators;
    int64_t evaluation_interval_ms, sample_stale_ms, heartbeat_ms;
    int64_t connect_deadline_ms, query_deadline_ms, drain_deadline_ms;
    int64_t log_level;
};

extern const struct config_setting autoscaler_setting_rows[];
extern const size_t autoscaler_n_settings;

#endif
