/* The settings of skylark-deployer, a row each. */
#include "deployer/settings.h"

#define FIELD(name) offsetof(struct deployer_settings, name)
#define DAY_MS INT64_C(86400000)

static const char *const levels[] = {"debug", "info", "warning", "error", NULL};

const struct config_setting deployer_setting_rows[] = {
    {.name = "database", .type = CONFIG_STRING, .offset = FIELD(database), .secret = true, .reloadable = true,
     .fallback = "dbname=skylark user=skylark_deployer",
     .help = "Connection string of libpq for the role skylark_deployer. Keep a password out of it: use a passfile."},
    {.name = "engine", .type = CONFIG_STRING, .offset = FIELD(engine), .min = 1, .max = 200,
     .fallback = "unix:///var/run/docker.sock", .help = "Socket of the Docker Engine."},
    {.name = "volume_driver", .type = CONFIG_STRING, .offset = FIELD(volume_driver), .min = 1, .max = 100,
     .fallback = "local", .reloadable = true, .help = "The engine's driver that makes volumes."},
    {.name = "reconcilers", .type = CONFIG_INTEGER, .offset = FIELD(reconcilers), .min = 1, .max = 100, .fallback = "4",
     .reloadable = true, .help = "Processes that make services right, each one service at a time."},
    {.name = "pullers", .type = CONFIG_INTEGER, .offset = FIELD(pullers), .min = 1, .max = 50, .fallback = "3",
     .reloadable = true, .help = "Processes that pull images, each one at a time."},
    {.name = "engine_deadline", .type = CONFIG_DURATION, .offset = FIELD(engine_deadline_ms), .min = 1000, .max = 300000,
     .fallback = "20s", .reloadable = true, .help = "How long one call of the engine may take."},
    {.name = "pull_idle_deadline", .type = CONFIG_DURATION, .offset = FIELD(pull_idle_ms), .min = 1000, .max = 3600000,
     .fallback = "60s", .reloadable = true, .help = "A pull of which nothing is heard for so long is given up."},
    {.name = "pass_interval", .type = CONFIG_DURATION, .offset = FIELD(pass_interval_ms), .min = 200, .max = 20000,
     .fallback = "5s", .reloadable = true,
     .help = "How often all containers are compared with the rows. The API vouches for counts for 30 seconds after that."},
    {.name = "lease", .type = CONFIG_DURATION, .offset = FIELD(lease_ms), .min = 2000, .max = 600000, .fallback = "30s",
     .reloadable = true,
     .help = "How long a service stays with a deployer that has died before another takes over. Longer than engine_deadline."},
    {.name = "stop_grace", .type = CONFIG_DURATION, .offset = FIELD(limits.stop_grace), .max = 3600000, .fallback = "10s",
     .reloadable = true, .help = "How long an instance may take to end after SIGTERM before it gets SIGKILL."},
    {.name = "update_settle", .type = CONFIG_DURATION, .offset = FIELD(limits.update_settle), .max = 3600000, .fallback = "5s",
     .reloadable = true, .help = "How long a new instance must have run before it takes the place of an old one."},
    {.name = "healthy_after", .type = CONFIG_DURATION, .offset = FIELD(limits.healthy_after), .min = 1000, .max = DAY_MS,
     .fallback = "60s", .reloadable = true, .help = "An instance that ran so long starts without a back-off history when it ends."},
    {.name = "back_off_first", .type = CONFIG_DURATION, .offset = FIELD(limits.back_off_first), .min = 100, .max = 3600000,
     .fallback = "1s", .reloadable = true, .help = "Wait before an ended instance is replaced; doubles with each failure in a row."},
    {.name = "back_off_most", .type = CONFIG_DURATION, .offset = FIELD(limits.back_off_most), .min = 100, .max = DAY_MS,
     .fallback = "5m", .reloadable = true, .help = "Longest such wait."},
    {.name = "dead_keep", .type = CONFIG_DURATION, .offset = FIELD(limits.dead_keep), .min = 1000, .max = 30 * DAY_MS,
     .fallback = "1h", .reloadable = true,
     .help = "How long an ended container waits for the collector to store its last lines before it is removed all the same."},
    {.name = "engine_log_max_size", .type = CONFIG_SIZE, .offset = FIELD(engine_log_max_bytes), .min = 65536,
     .max = INT64_C(1) << 40, .fallback = "64m", .reloadable = true,
     .help = "Size at which the engine starts a new log file for an instance."},
    {.name = "engine_log_max_files", .type = CONFIG_INTEGER, .offset = FIELD(engine_log_max_files), .min = 1, .max = 100,
     .fallback = "3", .reloadable = true,
     .help = "Log files that the engine keeps of an instance. What it throws away before the collector has read it is lost."},
    {.name = "connect_deadline", .type = CONFIG_DURATION, .offset = FIELD(connect_deadline_ms), .min = 50, .max = 60000,
     .fallback = "5s", .reloadable = true, .help = "How long connecting to PostgreSQL may take."},
    {.name = "query_deadline", .type = CONFIG_DURATION, .offset = FIELD(query_deadline_ms), .min = 50, .max = 600000,
     .fallback = "30s", .reloadable = true, .help = "How long a statement may take."},
    {.name = "drain_deadline", .type = CONFIG_DURATION, .offset = FIELD(drain_deadline_ms), .min = 100, .max = 600000,
     .fallback = "30s", .help = "How long a process may take to finish its step after SIGTERM before it is killed."},
    {.name = "log_level", .type = CONFIG_CHOICE, .offset = FIELD(log_level), .choices = levels, .fallback = "info",
     .reloadable = true, .help = "Lowest level of events that are logged."},
};
const size_t deployer_n_settings = sizeof deployer_setting_rows / sizeof deployer_setting_rows[0];
