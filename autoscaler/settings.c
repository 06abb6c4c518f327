/* The settings of skylark-autoscaler, a row each. */
#include "autoscaler/settings.h"

#define FIELD(name) offsetof(struct autoscaler_settings, name)
#define HOUR_MS INT64_C(3600000)

static const char *const levels[] = {"debug", "info", "warning", "error", NULL};

const struct config_setting autoscaler_setting_rows[] = {
    {.name = "database", .type = CONFIG_CONNECTION, .offset = FIELD(database), .reloadable = true,
     .fallback = "dbname=skylark user=skylark_autoscaler",
     .help = "Connection string of libpq for the role skylark_autoscaler. Keep a password out of it: use a passfile."},
    {.name = "metrics_listen", .type = CONFIG_STRING, .offset = FIELD(metrics_listen), .max = 80, .fallback = "127.0.0.1:9183",
     .reloadable = true, .help = "ADDRESS:PORT where /metrics shows figures for Prometheus; empty: nowhere."},
    {.name = "evaluators", .type = CONFIG_INTEGER, .offset = FIELD(evaluators), .min = 1, .max = 64, .fallback = "2",
     .reloadable = true, .help = "Processes that evaluate services, each with one connection to PostgreSQL."},
    {.name = "evaluation_interval", .type = CONFIG_DURATION, .offset = FIELD(evaluation_interval_ms), .min = 200,
     .max = 24 * HOUR_MS, .fallback = "15s", .reloadable = true,
     .help = "How often a service is looked at; one with a shorter wait_period is looked at once every wait_period."},
    {.name = "sample_stale", .type = CONFIG_DURATION, .offset = FIELD(sample_stale_ms), .min = 1000, .max = HOUR_MS,
     .fallback = "30s", .reloadable = true,
     .help = "An instance whose latest sample is older has no data, and nothing is taken away from its service. A few times "
             "the collector's sample_interval."},
    {.name = "decision_heartbeat", .type = CONFIG_DURATION, .offset = FIELD(heartbeat_ms), .min = 1000, .max = 30 * 24 * HOUR_MS,
     .fallback = "6h", .reloadable = true,
     .help = "A decision is recorded when it differs from the one before, and anew after so long."},
    {.name = "connect_deadline", .type = CONFIG_DURATION, .offset = FIELD(connect_deadline_ms), .min = 50, .max = 60000,
     .fallback = "5s", .reloadable = true, .help = "How long connecting to PostgreSQL may take."},
    {.name = "query_deadline", .type = CONFIG_DURATION, .offset = FIELD(query_deadline_ms), .min = 50, .max = 600000,
     .fallback = "30s", .reloadable = true, .help = "How long a statement may take."},
    {.name = "drain_deadline", .type = CONFIG_DURATION, .offset = FIELD(drain_deadline_ms), .min = 100, .max = 600000,
     .fallback = "30s", .help = "How long a process may take to finish its pass after SIGTERM before it is killed."},
    {.name = "log_level", .type = CONFIG_CHOICE, .offset = FIELD(log_level), .choices = levels, .fallback = "info",
     .reloadable = true, .help = "Lowest level of events that are logged."},
};
const size_t autoscaler_n_settings = sizeof autoscaler_setting_rows / sizeof autoscaler_setting_rows[0];
