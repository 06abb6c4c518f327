/* skylark-deployer: makes the engine match what is wanted. A master with children of four roles. */
#include <curl/curl.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/metrics_http.h"
#include "common/supervisor.h"
#include "deployer/figures.h"
#include "deployer/role.h"
#include "deployer/settings.h"

enum { ROLE_WATCHER, ROLE_RECONCILER, ROLE_PULLER, ROLE_METRICS, N_ROLES };

struct deployer {
    struct deployer_settings settings; /* first: what the roles take as their context */
    struct config_command command;
    struct supervisor_role roles[N_ROLES];
};

static int run_metrics(void *context, int index)
{
    const struct deployer_settings *settings = context;
    (void)index;
    return metrics_serve(settings->metrics_listen);
}

static void set_counts(struct deployer *d)
{
    d->roles[ROLE_WATCHER].count = 1;
    d->roles[ROLE_RECONCILER].count = (int)d->settings.reconcilers;
    d->roles[ROLE_PULLER].count = (int)d->settings.pullers;
    d->roles[ROLE_METRICS].count = 1;
}

static int check_settings(const void *settings)
{
    const struct deployer_settings *s = settings;
    if (metrics_listen_check(s->metrics_listen) != 0)
        return -1;
    if (s->lease_ms >= s->engine_deadline_ms + 1000)
        return 0;
    log_error("lease must be longer than engine_deadline by a second or more, or two deployers may work on one service");
    return -1;
}

static int deployer_reload(void *context)
{
    struct deployer *d = context;
    if (config_reload(&d->command, &d->settings, sizeof d->settings, check_settings) != 0)
        return -1;
    set_counts(d);
    log_open("skylark-deployer", (enum log_level)d->settings.log_level);
    return 0;
}

int main(int argc, char **argv)
{
    struct deployer d = {
        .command = {.process = "skylark-deployer", .purpose = "makes the container engine match what is wanted",
                    .table = deployer_setting_rows, .n_settings = deployer_n_settings},
        .roles = {[ROLE_WATCHER] = {.name = "watcher", .run = watcher_run},
                  [ROLE_RECONCILER] = {.name = "reconciler", .run = reconciler_run},
                  [ROLE_PULLER] = {.name = "puller", .run = puller_run},
                  [ROLE_METRICS] = {.name = "metrics", .run = run_metrics}},
    };
    int status = 2;
    enum config_start start = config_command(&d.command, argc, argv, &d.settings);
    if (start == CONFIG_EXIT_OK)
        status = 0;
    if (start == CONFIG_RUN && check_settings(&d.settings) == 0 && metrics_open(deployer_metrics, deployer_n_metrics) == 0) {
        log_open("skylark-deployer", (enum log_level)d.settings.log_level);
        curl_global_init(CURL_GLOBAL_DEFAULT);
        set_counts(&d);
        struct supervisor_options options = {
            .roles = d.roles, .n_roles = N_ROLES, .context = &d,
            .drain_ms = &d.settings.drain_deadline_ms, .reload = deployer_reload,
        };
        status = supervisor_run(&options);
        curl_global_cleanup();
    }
    config_free(deployer_setting_rows, deployer_n_settings, &d.settings);
    config_command_free(&d.command);
    return status;
}
