/* The settings of skylark-deployer. */
#ifndef SKYLARK_DEPLOYER_SETTINGS_H
#define SKYLARK_DEPLOYER_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "deployer/plan.h"

enum volumes_on_delete { VOLUMES_REMOVE, VOLUMES_KEEP };

struct deployer_settings {
    char *database;
    char *engine;
    char *metrics_listen;
    char *publish_address;
    int64_t reconcilers, pullers;
    int64_t engine_deadline_ms;
    int64_t pull_idle_ms;
    int64_t pass_interval_ms;
    int64_t lease_ms;
    int64_t volumes_on_delete; /* enum volumes_on_delete */
    int64_t engine_log_max_bytes, engine_log_max_files;
    int64_t connect_deadline_ms, query_deadline_ms, drain_deadline_ms;
    int64_t log_level;
    struct plan_limits limits;
};

extern const struct config_setting deployer_setting_rows[];
extern const size_t deployer_n_settings;

#endif
