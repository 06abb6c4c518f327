/* skylark-api: the FastCGI application. A master that holds the socket and keeps N workers running. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/log.h"
#include "common/supervisor.h"
#include "fcgi/dispatch.h"
#include "fcgi/handlers.h"
#include "fcgi/listen.h"
#include "fcgi/http_metrics.h"
#include "fcgi/settings.h"
#include "fcgi/worker.h"

struct api {
    struct config_command command;
    struct api_settings settings;
    struct supervisor_role role;
    int listen_fd;
};

static int api_run_worker(void *context, int index)
{
    (void)index;
    struct api *api = context;
    int status = worker_run(&api->settings, api->listen_fd);
    config_free(api_setting_rows, api_n_settings, &api->settings);
    config_command_free(&api->command);
    return status;
}

static int api_reload(void *context)
{
    struct api *api = context;
    if (config_reload(&api->command, &api->settings, sizeof api->settings, NULL) != 0)
        return -1;
    api->role.count = api_worker_count(&api->settings);
    log_open("skylark-api", (enum log_level)api->settings.log_level);
    return 0;
}

int main(int argc, char **argv)
{
    struct api api = {
        .command = {.process = "skylark-api", .purpose = "the FastCGI application of Skylark",
                    .table = api_setting_rows, .n_settings = api_n_settings},
        .role = {.name = "worker", .run = api_run_worker},
    };
    int status = 0;
    enum config_start start = config_command(&api.command, argc, argv, &api.settings);
    if (start != CONFIG_RUN) {
        status = start == CONFIG_EXIT_OK ? 0 : 2;
        goto out;
    }
    log_open("skylark-api", (enum log_level)api.settings.log_level);
    api.listen_fd = listen_open(&api.settings);
    if (api.listen_fd < 0 || http_metrics_open() != 0 || handle_token_open() != 0 || dispatch_open() != 0) {
        status = 1;
        goto out;
    }
    api.role.count = api_worker_count(&api.settings);
    struct supervisor_options options = {
        .roles = &api.role, .n_roles = 1, .context = &api,
        .drain_ms = &api.settings.drain_deadline_ms, .reload = api_reload,
    };
    log_info("%d workers on %s", api.role.count, api.settings.listen);
    status = supervisor_run(&options);
    listen_close(api.listen_fd, &api.settings);
out:
    config_free(api_setting_rows, api_n_settings, &api.settings);
    config_command_free(&api.command);
    return status;
}
