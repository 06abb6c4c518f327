/* skylark-collector: stores what the instances of its node print and use. A master with children of three roles. */
#include <curl/curl.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "collector/figures.h"
#include "collector/follower.h"
#include "collector/sampler.h"
#include "collector/settings.h"
#include "common/log.h"
#include "common/metrics_http.h"
#include "common/supervisor.h"

enum { ROLE_FOLLOWER, ROLE_SAMPLER, ROLE_METRICS, N_ROLES };

struct collector_process {
    struct collector_settings settings; /* first: what the role takes as its context */
    struct config_command command;
    struct supervisor_role roles[N_ROLES];
};

static int run_metrics(void *context, int index)
{
    const struct collector_settings *settings = context;
    (void)index;
    return metrics_serve(settings->metrics_listen);
}

static int check_listen(const void *settings)
{
    return metrics_listen_check(((const struct collector_settings *)settings)->metrics_listen);
}

/* Each instance is a connection to the engine; the usual soft limit of 1,024 is there for programs that use select(2). */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log_warning("the limit of open files stays as it is: %m");
}

static int collector_reload(void *context)
{
    struct collector_process *p = context;
    if (config_reload(&p->command, &p->settings, sizeof p->settings, check_listen) != 0)
        return -1;
    log_open("skylark-collector", (enum log_level)p->settings.log_level);
    return 0;
}

int main(int argc, char **argv)
{
    struct collector_process p = {
        .command = {.process = "skylark-collector", .purpose = "stores what the instances of its node print and use",
                    .table = collector_setting_rows, .n_settings = collector_n_settings},
        .roles = {[ROLE_FOLLOWER] = {.name = "follower", .count = 1, .run = follower_run},
                  [ROLE_SAMPLER] = {.name = "sampler", .count = 1, .run = sampler_run},
                  [ROLE_METRICS] = {.name = "metrics", .count = 1, .run = run_metrics}},
    };
    int status = 2;
    enum config_start start = config_command(&p.command, argc, argv, &p.settings);
    if (start == CONFIG_EXIT_OK)
        status = 0;
    if (start == CONFIG_RUN && check_listen(&p.settings) == 0 && metrics_open(collector_metrics, collector_n_metrics) == 0) {
        log_open("skylark-collector", (enum log_level)p.settings.log_level);
        curl_global_init(CURL_GLOBAL_DEFAULT);
        raise_file_limit();
        struct supervisor_options options = {
            .roles = p.roles, .n_roles = N_ROLES, .context = &p,
            .drain_ms = &p.settings.drain_deadline_ms, .reload = collector_reload,
        };
        status = supervisor_run(&options);
        curl_global_cleanup();
    }
    config_free(collector_setting_rows, collector_n_settings, &p.settings);
    config_command_free(&p.command);
    return status;
}
