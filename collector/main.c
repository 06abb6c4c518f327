/* skylark-collector: stores what the instances of its node print. A master with one child. */
#include <curl/curl.h>
#include <stdlib.h>

#include "collector/collect.h"
#include "collector/settings.h"
#include "common/log.h"
#include "common/supervisor.h"

struct collector_process {
    struct collector_settings settings; /* first: what the role takes as its context */
    struct config_command command;
    struct supervisor_role role;
};

static int collector_reload(void *context)
{
    struct collector_process *p = context;
    if (config_reload(&p->command, &p->settings, sizeof p->settings, NULL) != 0)
        return -1;
    log_open("skylark-collector", (enum log_level)p->settings.log_level);
    return 0;
}

int main(int argc, char **argv)
{
    struct collector_process p = {
        .command = {.process = "skylark-collector", .purpose = "stores what the instances of its node print",
                    .table = collector_setting_rows, .n_settings = collector_n_settings},
        .role = {.name = "collect", .count = 1, .run = collect_run},
    };
    int status = 2;
    enum config_start start = config_command(&p.command, argc, argv, &p.settings);
    if (start == CONFIG_EXIT_OK)
        status = 0;
    if (start == CONFIG_RUN) {
        log_open("skylark-collector", (enum log_level)p.settings.log_level);
        curl_global_init(CURL_GLOBAL_DEFAULT);
        struct supervisor_options options = {
            .roles = &p.role, .n_roles = 1, .context = &p,
            .drain_ms = p.settings.drain_deadline_ms, .reload = collector_reload,
        };
        status = supervisor_run(&options);
        curl_global_cleanup();
    }
    config_free(collector_setting_rows, collector_n_settings, &p.settings);
    config_command_free(&p.command);
    return status;
}
