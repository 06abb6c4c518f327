/* The settings of skylark-router. */
#ifndef SKYLARK_ROUTER_SETTINGS_H
#define SKYLARK_ROUTER_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "common/config.h"

struct router_settings {
    char *database;
    char *name;
    char *metrics_listen;
    char *templates, *routes, *certificates, *certificate, *certificate_key;
    char *nginx, *nginx_conf, *nginx_prefix, *nginx_pid;
    char *version_url;
    char *stream_listen;
    int64_t pass_interval_ms;
    int64_t nginx_deadline_ms;
    int64_t connect_deadline_ms, query_deadline_ms, drain_deadline_ms;
    int64_t log_level;
};

extern const struct config_setting router_setting_rows[];
extern const size_t router_n_settings;

#endif
