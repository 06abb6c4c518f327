/* The settings of skylark-router, a row each. */
#include "router/settings.h"

#define FIELD(name) offsetof(struct router_settings, name)

static const char *const levels[] = {"debug", "info", "warning", "error", NULL};

const struct config_setting router_setting_rows[] = {
    {.name = "database", .type = CONFIG_CONNECTION, .offset = FIELD(database), .reloadable = true,
     .fallback = "dbname=skylark user=skylark_router",
     .help = "Connection string of libpq for the role skylark_router. Keep a password out of it: use a passfile."},
    {.name = "name", .type = CONFIG_STRING, .offset = FIELD(name), .max = 255, .fallback = "",
     .help = "What this front is called in the table fronts; empty: the host's name."},
    {.name = "metrics_listen", .type = CONFIG_STRING, .offset = FIELD(metrics_listen), .max = 80, .fallback = "127.0.0.1:9184",
     .reloadable = true, .help = "ADDRESS:PORT where /metrics shows figures for Prometheus; empty: nowhere."},
    {.name = "templates", .type = CONFIG_STRING, .offset = FIELD(templates), .min = 1, .max = 4000, .reloadable = true,
     .fallback = "/etc/skylark/nginx/skylark-routes.template", .help = "File of what a route looks like in nginx's configuration."},
    {.name = "routes", .type = CONFIG_STRING, .offset = FIELD(routes), .min = 1, .max = 4000, .fallback = "/run/skylark/routes",
     .help = "Folder for what is made of it; nginx includes current/http*.conf and current/stream*.conf in there. Best emptied by a "
             "reboot, since addresses of instances are others then."},
    {.name = "certificates", .type = CONFIG_STRING, .offset = FIELD(certificates), .max = 4000, .reloadable = true,
     .fallback = "/etc/letsencrypt/live",
     .help = "Folder with DOMAIN/fullchain.pem and DOMAIN/privkey.pem for custom domain names; one without gets the server's own."},
    {.name = "certificate", .type = CONFIG_STRING, .offset = FIELD(certificate), .min = 1, .max = 4000, .reloadable = true,
     .fallback = "/etc/skylark/tls/server.crt", .help = "The server's own certificate, good for the names below the base domain."},
    {.name = "certificate_key", .type = CONFIG_STRING, .offset = FIELD(certificate_key), .min = 1, .max = 4000,
     .reloadable = true, .fallback = "/etc/skylark/tls/server.key", .help = "Its key."},
    {.name = "nginx", .type = CONFIG_STRING, .offset = FIELD(nginx), .min = 1, .max = 4000, .fallback = "/usr/sbin/nginx",
     .reloadable = true, .help = "The program of nginx, which tests new routes."},
    {.name = "nginx_conf", .type = CONFIG_STRING, .offset = FIELD(nginx_conf), .min = 1, .max = 4000, .reloadable = true,
     .fallback = "/etc/nginx/nginx.conf", .help = "The whole configuration of nginx, of which the routes are a part."},
    {.name = "nginx_prefix", .type = CONFIG_STRING, .offset = FIELD(nginx_prefix), .max = 4000, .fallback = "", .reloadable = true,
     .help = "Its prefix (-p), where it is not the usual one."},
    {.name = "nginx_pid", .type = CONFIG_STRING, .offset = FIELD(nginx_pid), .min = 1, .max = 4000, .fallback = "/run/nginx.pid",
     .reloadable = true, .help = "File with the pid of nginx's master, which is told to load new routes (SIGHUP)."},
    {.name = "version_url", .type = CONFIG_STRING, .offset = FIELD(version_url), .min = 1, .max = 400, .reloadable = true,
     .fallback = "http://127.0.0.1:9180/", .help = "The internal listener, where nginx says which routes it serves."},
    {.name = "stream_listen", .type = CONFIG_STRING, .offset = FIELD(stream_listen), .min = 1, .max = 45, .fallback = "0.0.0.0",
     .reloadable = true, .help = "Address where the public ports of tcp-endpoints listen; the template says the same."},
    {.name = "pass_interval", .type = CONFIG_DURATION, .offset = FIELD(pass_interval_ms), .min = 200, .max = 20000, .fallback = "5s",
     .reloadable = true, .help = "How often all routes are looked at without being woken, and certificates with them."},
    {.name = "nginx_deadline", .type = CONFIG_DURATION, .offset = FIELD(nginx_deadline_ms), .min = 500, .max = 300000,
     .fallback = "20s", .reloadable = true, .help = "How long nginx may take to test or to load new routes."},
    {.name = "connect_deadline", .type = CONFIG_DURATION, .offset = FIELD(connect_deadline_ms), .min = 50, .max = 60000,
     .fallback = "5s", .reloadable = true, .help = "How long connecting to PostgreSQL may take."},
    {.name = "query_deadline", .type = CONFIG_DURATION, .offset = FIELD(query_deadline_ms), .min = 50, .max = 600000,
     .fallback = "30s", .reloadable = true, .help = "How long a statement may take."},
    {.name = "drain_deadline", .type = CONFIG_DURATION, .offset = FIELD(drain_deadline_ms), .min = 100, .max = 600000,
     .fallback = "30s", .help = "How long a process may take to finish its pass after SIGTERM before it is killed."},
    {.name = "log_level", .type = CONFIG_CHOICE, .offset = FIELD(log_level), .choices = levels, .fallback = "info",
     .reloadable = true, .help = "Lowest level of events that are logged."},
};
const size_t router_n_settings = sizeof router_setting_rows / sizeof router_setting_rows[0];
