/* skylark-router: makes the nginx of its host serve what services ask for. A master with children of two roles. */
#include <curl/curl.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/metrics_http.h"
#include "common/supervisor.h"
#include "router/figures.h"
#include "router/router.h"
#include "router/settings.h"

enum { ROLE_ROUTER, ROLE_METRICS, N_ROLES };

struct router_process {
    struct router_settings settings; /* first: what the roles take as their context */
    struct config_command command;
    struct supervisor_role roles[N_ROLES];
};

static int run_metrics(void *context, int index)
{
    const struct router_settings *settings = context;
    (void)index;
    return metrics_serve(settings->metrics_listen);
}

static int check_listen(const void *settings)
{
    return metrics_listen_check(((const struct router_settings *)settings)->metrics_listen);
}

static int router_reload(void *context)
{
    struct router_process *p = context;
    if (config_reload(&p->command, &p->settings, sizeof p->settings, check_listen) != 0)
        return -1;
    log_open("skylark-router", (enum log_level)p->settings.log_level);
    return 0;
}

int main(int argc, char **argv)
{
    struct router_process p = {
        .command = {.process = "skylark-router", .purpose = "makes this host's nginx serve what services ask for",
                    .table = router_setting_rows, .n_settings = router_n_settings},
        .roles = {[ROLE_ROUTER] = {.name = "router", .count = 1, .run = router_run},
                  [ROLE_METRICS] = {.name = "metrics", .count = 1, .run = run_metrics}},
    };
    int status = 2;
    enum config_start start = config_command(&p.command, argc, argv, &p.settings);
    if (start == CONFIG_EXIT_OK)
        status = 0;
    if (start == CONFIG_RUN && check_listen(&p.settings) == 0 && metrics_open(router_metrics, router_n_metrics) == 0) {
        log_open("skylark-router", (enum log_level)p.settings.log_level);
        curl_global_init(CURL_GLOBAL_DEFAULT);
        struct supervisor_options options = {
            .roles = p.roles, .n_roles = N_ROLES, .context = &p,
            .drain_ms = &p.settings.drain_deadline_ms, .reload = router_reload,
        };
        status = supervisor_run(&options);
        curl_global_cleanup();
    }
    config_free(router_setting_rows, router_n_settings, &p.settings);
    config_command_free(&p.command);
    return status;
}
