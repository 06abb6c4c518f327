/* The settings of skylark-api, a row each. */
#include "fcgi/settings.h"

#include <unistd.h>

#define FIELD(name) offsetof(struct api_settings, name)

static const char *const delete_linked[] = {[DELETE_LINKED_REFUSE] = "refuse", [DELETE_LINKED_ALLOW] = "allow", NULL};
static const char *const levels[] = {"debug", "info", "warning", "error", NULL};

const struct config_setting api_setting_rows[] = {
    {.name = "database", .type = CONFIG_CONNECTION, .offset = FIELD(database),
     .fallback = "dbname=skylark user=skylark_api", .reloadable = true,
     .help = "Connection string of libpq for the role skylark_api. Keep a password out of it: use a passfile."},
    {.name = "listen", .type = CONFIG_STRING, .offset = FIELD(listen), .min = 1, .max = 107 + 5,
     .fallback = "unix:/run/skylark/api.sock",
     .help = "Where FastCGI requests come in: unix:PATH or a loopback ADDRESS:PORT. Not used when systemd passes "
             "a socket."},
    {.name = "socket_mode", .type = CONFIG_STRING, .offset = FIELD(socket_mode), .min = 3, .max = 4,
     .fallback = "0660", .help = "Permissions of the unix socket, in octal; nginx must be able to write to it."},
    {.name = "workers", .type = CONFIG_INTEGER, .offset = FIELD(workers), .max = 500, .fallback = "0",
     .reloadable = true, .help = "Worker processes, each with one connection to PostgreSQL. 0: four a CPU, 8 at least."},
    {.name = "backlog", .type = CONFIG_INTEGER, .offset = FIELD(backlog), .min = 16, .max = 65535,
     .fallback = "1024", .help = "Connections that may wait for a worker."},
    {.name = "body_limit", .type = CONFIG_SIZE, .offset = FIELD(body_limit), .min = 1024, .max = 64 << 20,
     .fallback = "1m", .reloadable = true, .help = "Largest request body that is read, in bytes."},
    {.name = "connect_deadline", .type = CONFIG_DURATION, .offset = FIELD(connect_deadline_ms), .min = 50,
     .max = 60000, .fallback = "2s", .reloadable = true,
     .help = "How long connecting to PostgreSQL may take. While it is away, requests are answered 503 at once and "
             "one of them tries again every second."},
    {.name = "query_deadline", .type = CONFIG_DURATION, .offset = FIELD(query_deadline_ms), .min = 50,
     .max = 600000, .fallback = "10s", .reloadable = true,
     .help = "How long a statement may take before the request is answered 503."},
    {.name = "answer_deadline", .type = CONFIG_DURATION, .offset = FIELD(answer_deadline_ms), .min = 100,
     .max = 600000, .fallback = "30s", .reloadable = true,
     .help = "How long nginx may take to accept an answer before it is cut off. nginx takes all answers at once, however "
             "slow its clients are."},
    {.name = "long_reads", .type = CONFIG_INTEGER, .offset = FIELD(long_reads), .max = 500, .fallback = "0", .reloadable = true,
     .help = "How many workers may read logs or series of metrics at the same time; requests beyond it are answered 503. 0: half of "
             "the workers, 1 at least."},
    {.name = "long_reads_of_token", .type = CONFIG_INTEGER, .offset = FIELD(long_reads_of_token), .max = 500, .fallback = "0",
     .reloadable = true, .help = "The same for each token; requests beyond it are answered 429. 0: half of long_reads, 1 at least."},
    {.name = "changes_of_namespace", .type = CONFIG_INTEGER, .offset = FIELD(changes_of_namespace), .max = 500, .fallback = "0",
     .reloadable = true, .help = "How many workers may change services of one namespace at the same time, and half as many one "
                                 "service, since changes wait for each other and for locks. While those that do take long, changes beyond "
                                 "it are answered 503. 0: half of the workers, 1 at least."},
    {.name = "drain_deadline", .type = CONFIG_DURATION, .offset = FIELD(drain_deadline_ms), .min = 100,
     .max = 600000, .fallback = "30s", .reloadable = true,
     .help = "How long a worker may take to finish its request after SIGTERM or SIGHUP before it is killed."},
    {.name = "login_slots", .type = CONFIG_INTEGER, .offset = FIELD(login_slots), .max = 250, .fallback = "0", .reloadable = true,
     .help = "How many passwords are hashed at the same time on this host, each with 64 MiB and a CPU for a tenth of a second; who "
             "comes when all are taken is told to come again. 0: one a CPU, and never more than a quarter of the workers."},
    {.name = "login_failures", .type = CONFIG_INTEGER, .offset = FIELD(login_failures), .min = 10, .max = 1000000, .fallback = "300",
     .reloadable = true, .help = "After so many failed logins in a minute, of everybody together, users can only log in from where "
                                 "they have logged in before."},
    {.name = "token_lifetime", .type = CONFIG_DURATION, .offset = FIELD(token_lifetime_ms), .fallback = "90d",
     .max = 3650LL * 86400000, .reloadable = true,
     .help = "A token from generate-api-token is valid until nobody has used it for so long. 0s: until it is revoked. Holds for tokens "
             "made afterwards."},
    {.name = "strict_region", .type = CONFIG_BOOLEAN, .offset = FIELD(strict_region), .fallback = "no", .reloadable = true,
     .help = "Refuse requests whose region_name is not this installation's (400). no: region_name is ignored, since old "
             "clients send the names of regions that are no more."},
    {.name = "delete_linked", .type = CONFIG_CHOICE, .offset = FIELD(delete_linked), .choices = delete_linked,
     .fallback = "refuse", .reloadable = true,
     .help = "DELETE of a service that others link to, without ?force=: refuse answers 409; allow takes the links away, as "
             "old clients expect."},
    {.name = "no_content_on_write", .type = CONFIG_BOOLEAN, .offset = FIELD(no_content_on_write), .fallback = "no",
     .reloadable = true,
     .help = "Answer POST and PUT of a service, start and stop with 204 and no body, which is all that some old clients take "
             "for success. no: with the service's document."},
    {.name = "log_level", .type = CONFIG_CHOICE, .offset = FIELD(log_level), .choices = levels,
     .fallback = "info", .reloadable = true, .help = "Lowest level of events that are logged."},
};
const size_t api_n_settings = sizeof api_setting_rows / sizeof api_setting_rows[0];

static long cpus(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 64 ? 64 : n;
}

int api_worker_count(const struct api_settings *settings)
{
    long n = cpus();
    if (settings->workers > 0)
        return (int)settings->workers;
    return n > 2 ? (int)(n * 4) : 8;
}

size_t api_login_slots(const struct api_settings *settings)
{
    size_t quarter = (size_t)api_worker_count(settings) / 4;
    size_t slots = settings->login_slots > 0 ? (size_t)settings->login_slots : (size_t)cpus();
    if (settings->login_slots == 0 && slots > quarter)
        slots = quarter;
    return slots > 0 ? slots : 1;
}

size_t api_long_reads(const struct api_settings *settings)
{
    size_t half = (size_t)api_worker_count(settings) / 2;
    return settings->long_reads > 0 ? (size_t)settings->long_reads : half > 0 ? half : 1;
}

size_t api_long_reads_of_token(const struct api_settings *settings)
{
    size_t half = api_long_reads(settings) / 2;
    return settings->long_reads_of_token > 0 ? (size_t)settings->long_reads_of_token : half > 0 ? half : 1;
}

size_t api_changes(const struct api_settings *settings)
{
    size_t workers = (size_t)api_worker_count(settings), spared = workers / 4 > 0 ? workers / 4 : 1;
    return workers > spared ? workers - spared : 1;
}

size_t api_changes_of_namespace(const struct api_settings *settings)
{
    size_t half = (size_t)api_worker_count(settings) / 2;
    return settings->changes_of_namespace > 0 ? (size_t)settings->changes_of_namespace : half > 0 ? half : 1;
}

size_t api_changes_of_service(const struct api_settings *settings)
{
    size_t half = api_changes_of_namespace(settings) / 2;
    return half > 0 ? half : 1;
}
