/* The settings of skylark-collector, a row each. */
#include "collector/settings.h"

#define FIELD(name) offsetof(struct collector_settings, name)
#define HOUR_MS INT64_C(3600000)
#define YEAR_MS (INT64_C(365) * 24 * HOUR_MS)

static const char *const levels[] = {"debug", "info", "warning", "error", NULL};

const struct config_setting collector_setting_rows[] = {
    {.name = "database", .type = CONFIG_CONNECTION, .offset = FIELD(database), .reloadable = true,
     .fallback = "dbname=skylark user=skylark_collector",
     .help = "Connection string of libpq for the role skylark_collector. Keep a password out of it: use a passfile."},
    {.name = "engine", .type = CONFIG_STRING, .offset = FIELD(engine), .min = 1, .max = 200,
     .fallback = "unix:///var/run/docker.sock", .reloadable = true, .help = "Socket of the Docker Engine."},
    {.name = "metrics_listen", .type = CONFIG_STRING, .offset = FIELD(metrics_listen), .max = 80, .fallback = "127.0.0.1:9182",
     .reloadable = true, .help = "ADDRESS:PORT where /metrics shows figures for Prometheus; empty: nowhere."},
    {.name = "engine_deadline", .type = CONFIG_DURATION, .offset = FIELD(engine_deadline_ms), .min = 1000, .max = 300000,
     .fallback = "20s", .reloadable = true, .help = "How long one call of the engine may take."},
    {.name = "pass_interval", .type = CONFIG_DURATION, .offset = FIELD(pass_interval_ms), .min = 200, .max = HOUR_MS,
     .fallback = "5s", .reloadable = true, .help = "How often the engine is asked for containers that nobody announced."},
    {.name = "flush_interval", .type = CONFIG_DURATION, .offset = FIELD(flush_interval_ms), .min = 10, .max = 60000,
     .fallback = "200ms", .reloadable = true, .help = "How long lines may wait before they are stored."},
    {.name = "flush_bytes", .type = CONFIG_SIZE, .offset = FIELD(flush_bytes), .min = 4096, .max = 256 << 20,
     .fallback = "1m", .reloadable = true, .help = "Lines of so many bytes are stored at once."},
    {.name = "sample_interval", .type = CONFIG_DURATION, .offset = FIELD(sample_interval_ms), .min = 200, .max = HOUR_MS,
     .fallback = "5s", .reloadable = true, .help = "How often CPU, memory and network of each instance are sampled."},
    {.name = "log_retention", .type = CONFIG_DURATION, .offset = FIELD(log_retention_ms), .min = HOUR_MS, .max = 10 * YEAR_MS,
     .fallback = "7d", .reloadable = true, .help = "How long log rows are kept; whole days are dropped. Instances that are gone are kept as long."},
    {.name = "metric_retention", .type = CONFIG_DURATION, .offset = FIELD(metric_retention_ms), .min = HOUR_MS,
     .max = 10 * YEAR_MS, .fallback = "3d", .reloadable = true, .help = "How long metric samples are kept; whole days are dropped."},
    {.name = "event_retention", .type = CONFIG_DURATION, .offset = FIELD(event_retention_ms), .min = HOUR_MS,
     .max = 10 * YEAR_MS, .fallback = "90d", .reloadable = true, .help = "How long events and autoscaling decisions are kept."},
    {.name = "pull_retention", .type = CONFIG_DURATION, .offset = FIELD(pull_retention_ms), .min = HOUR_MS,
     .max = 10 * YEAR_MS, .fallback = "30d", .reloadable = true,
     .help = "How long it is kept how the latest pull of an image ended."},
    {.name = "token_retention", .type = CONFIG_DURATION, .offset = FIELD(token_retention_ms), .min = HOUR_MS,
     .max = 10 * YEAR_MS, .fallback = "30d", .reloadable = true,
     .help = "How long API tokens that were revoked or expired are still listed before they are deleted."},
    {.name = "days_ahead", .type = CONFIG_INTEGER, .offset = FIELD(days_ahead), .min = 1, .max = 60, .fallback = "3",
     .reloadable = true, .help = "For how many days partitions are made ahead."},
    {.name = "maintenance_interval", .type = CONFIG_DURATION, .offset = FIELD(maintenance_interval_ms), .min = 1000,
     .max = 24 * HOUR_MS, .fallback = "1h", .reloadable = true,
     .help = "How often partitions are made and dropped, and what is past its retention is deleted. Also done at the start."},
    {.name = "connect_deadline", .type = CONFIG_DURATION, .offset = FIELD(connect_deadline_ms), .min = 50, .max = 60000,
     .fallback = "5s", .reloadable = true, .help = "How long connecting to PostgreSQL may take."},
    {.name = "query_deadline", .type = CONFIG_DURATION, .offset = FIELD(query_deadline_ms), .min = 50, .max = 600000,
     .fallback = "60s", .reloadable = true, .help = "How long a statement may take."},
    {.name = "drain_deadline", .type = CONFIG_DURATION, .offset = FIELD(drain_deadline_ms), .min = 100, .max = 600000,
     .fallback = "30s", .help = "How long storing what was read may take after SIGTERM before the process is killed."},
    {.name = "log_level", .type = CONFIG_CHOICE, .offset = FIELD(log_level), .choices = levels, .fallback = "info",
     .reloadable = true, .help = "Lowest level of events that are logged."},
};
const size_t collector_n_settings = sizeof collector_setting_rows / sizeof collector_setting_rows[0];
