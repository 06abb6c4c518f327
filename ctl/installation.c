/* settings …, engine forget, front forget: what is true of the installation as a whole. */
#include <stdio.h>
#include <string.h>

#include "ctl/output.h"
#include "gen/ctl_statements.h"

int command_settings(struct ctl *ctl)
{
    return output_query(ctl, CTL_SETTINGS_LIST, NULL);
}

/* Says every fault of the values (NULL: not given). Returns the exit status. */
static int settings_check(struct ctl *ctl, const char *base_domain, const char *service_ports, const char *host_names)
{
    const char *params[CTL_SETTINGS_FAULTS_P__MAX] = {
        [CTL_SETTINGS_FAULTS_P_BASE_DOMAIN] = base_domain,
        [CTL_SETTINGS_FAULTS_P_SERVICE_PORTS] = service_ports,
        [CTL_SETTINGS_FAULTS_P_HOST_NAMES] = host_names,
    };
    PGresult *result;
    enum db_status status = db_run(ctl->db, CTL_SETTINGS_FAULTS, params, &result);
    if (status != DB_OK)
        return output_failure(ctl, status);
    int n = PQntuples(result);
    for (int i = 0; i < n; i++)
        fprintf(stderr, "skylarkctl: %s\n", db_text(result, i, CTL_SETTINGS_FAULTS_C_FAULT));
    PQclear(result);
    return n > 0 ? EXIT_USAGE : 0;
}

int command_settings_set(struct ctl *ctl)
{
    /* What may be set is what the statement has parameters for. */
    const char *const *names = ctl_statements[CTL_SETTINGS_SET].parameters;
    enum { N = CTL_SETTINGS_SET_P__MAX };
    const char *params[CTL_SETTINGS_SET_P__MAX] = {0};
    for (int i = 0; i < ctl->argc; i++) {
        const char *equals = strchr(ctl->argv[i], '=');
        size_t n = 0, len = equals != NULL ? (size_t)(equals - ctl->argv[i]) : 0;
        while (n < N && !(strlen(names[n]) == len && strncmp(names[n], ctl->argv[i], len) == 0))
            n++;
        if (n == N) {
            fprintf(stderr, "skylarkctl: %s: must be NAME=VALUE, with one of the names", ctl->argv[i]);
            for (n = 0; n < N; n++)
                fprintf(stderr, "%s %s", n > 0 ? "," : "", names[n]);
            fputc('\n', stderr);
            return EXIT_USAGE;
        }
        params[n] = equals + 1;
    }
    int status = settings_check(ctl, params[CTL_SETTINGS_SET_P_BASE_DOMAIN], params[CTL_SETTINGS_SET_P_SERVICE_PORTS],
                                params[CTL_SETTINGS_SET_P_HOST_NAMES]);
    return status != 0 ? status : output_change(ctl, CTL_SETTINGS_SET, params, "settings changed", "the installation has no row");
}

int command_engine_forget(struct ctl *ctl)
{
    return output_change(ctl, CTL_ENGINE_FORGET, NULL,
                         "forgotten; restart skylark-deployer: the first one that starts records its engine, and services are in Error until then", "no engine is recorded");
}

int command_front_forget(struct ctl *ctl)
{
    const char *params[CTL_FRONT_FORGET_P__MAX] = {[CTL_FRONT_FORGET_P_FRONT] = ctl->argv[0]};
    return output_change(ctl, CTL_FRONT_FORGET, params, "forgotten, until it reports again", "there is no such front");
}
