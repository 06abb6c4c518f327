/* skylark-autoscaler: sets the count of AUTO services by their metrics. A master with children of two roles. */
#include <stdlib.h>

#include "autoscaler/evaluate.h"
#include "autoscaler/settings.h"
#include "common/log.h"
#include "common/metrics_http.h"
#include "common/supervisor.h"

enum { ROLE_EVALUATOR, ROLE_METRICS, N_ROLES };

struct autoscaler {
    struct autoscaler_settings settings; /* first: what the roles take as their context */
    struct config_command command;
    struct supervisor_role roles[N_ROLES];
};

static int run_metrics(void *context, int index)
{
    const struct autoscaler_settings *settings = context;
    (void)index;
    return metrics_serve(settings->metrics_listen);
}

static int check_listen(const void *settings)
{
    return metrics_listen_check(((const struct autoscaler_settings *)settings)->metrics_listen);
}

static int autoscaler_reload(void *context)
{
    struct autoscaler *a = context;
    if (config_reload(&a->command, &a->settings, sizeof a->settings, check_listen) != 0)
        return -1;
    a->roles[ROLE_EVALUATOR].count = (int)a->settings.evaluators;
    log_open("skylark-autoscaler", (enum log_level)a->settings.log_level);
    return 0;
}

int main(int argc, char **argv)
{
    struct autoscaler a = {
        .command = {.process = "skylark-autoscaler", .purpose = "sets the count of AUTO services by their metrics",
                    .table = autoscaler_setting_rows, .n_settings = autoscaler_n_settings},
        .roles = {[ROLE_EVALUATOR] = {.name = "evaluator", .run = evaluate_run},
                  [ROLE_METRICS] = {.name = "metrics", .count = 1, .run = run_metrics}},
    };
    int status = 2;
    enum config_start start = config_command(&a.command, argc, argv, &a.settings);
    if (start == CONFIG_EXIT_OK)
        status = 0;
    if (start == CONFIG_RUN && check_listen(&a.settings) == 0 && metrics_open(autoscaler_metrics, autoscaler_n_metrics) == 0) {
        log_open("skylark-autoscaler", (enum log_level)a.settings.log_level);
        a.roles[ROLE_EVALUATOR].count = (int)a.settings.evaluators;
        struct supervisor_options options = {
            .roles = a.roles, .n_roles = N_ROLES, .context = &a,
            .drain_ms = &a.settings.drain_deadline_ms, .reload = autoscaler_reload,
        };
        status = supervisor_run(&options);
    }
    config_free(autoscaler_setting_rows, autoscaler_n_settings, &a.settings);
    config_command_free(&a.command);
    return status;
}
