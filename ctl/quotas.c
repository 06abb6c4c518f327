/* quota …: how much each namespace may have. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/output.h"
#include "gen/ctl_statements.h"

int command_quota(struct ctl *ctl)
{
    const char *params[CTL_QUOTAS_LIST_P__MAX] = {[CTL_QUOTAS_LIST_P_NAMESPACE] = ctl->argc > 0 ? ctl->argv[0] : NULL};
    int rows;
    return output_query_titled(ctl, NULL, CTL_QUOTAS_LIST, params, "there is no such namespace", &rows);
}

/* Adds NAME=VALUE to maximums. */
static bool add_maximum(struct json_object *maximums, const char *word, bool of_all)
{
    const char *equals = strchr(word, '=');
    const char *value = equals != NULL ? equals + 1 : "";
    bool number = value[0] != '\0' && strspn(value, "0123456789") == strlen(value) && strlen(value) <= 18;
    char name[32];
    if (equals == NULL || equals == word || (size_t)(equals - word) >= sizeof name ||
        (!number && strcmp(value, "none") != 0 && (of_all || strcmp(value, "default") != 0))) {
        fprintf(stderr, "skylarkctl: %s: a quota is set by NAME=NUMBER or NAME=none%s\n", word, of_all ? "" : ", or NAME=default");
        return false;
    }
    snprintf(name, sizeof name, "%.*s", (int)(equals - word), word);
    return json_object_object_add(maximums, name, json_object_new_string(value)) == 0;
}

int command_quota_set(struct ctl *ctl)
{
    bool of_all = strcmp(ctl->argv[0], "--default") == 0;
    struct json_object *maximums = json_object_new_object();
    int status = EXIT_USAGE, i = 1;
    while (i < ctl->argc && add_maximum(maximums, ctl->argv[i], of_all))
        i++;
    if (i == ctl->argc) {
        const char *params[CTL_QUOTA_SET_P__MAX] = {
            [CTL_QUOTA_SET_P_NAMESPACE] = of_all ? NULL : ctl->argv[0],
            [CTL_QUOTA_SET_P_MAXIMUMS] = json_object_to_json_string(maximums),
        };
        status = output_change(ctl, CTL_QUOTA_SET, params, "quotas set; what is there already stays", "there is no such namespace");
    }
    json_object_put(maximums);
    return status;
}
