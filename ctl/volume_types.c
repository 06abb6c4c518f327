/* volume-type …: what each volume_type of the API is on the engine. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/output.h"
#include "gen/ctl_statements.h"

int command_volume_type_list(struct ctl *ctl)
{
    return output_query(ctl, CTL_VOLUME_TYPES_LIST, NULL);
}

int command_volume_type_set(struct ctl *ctl)
{
    struct json_object *options = json_object_new_object();
    for (int i = 2; i < ctl->argc; i++) {
        const char *equals = strchr(ctl->argv[i], '=');
        if (equals == NULL || equals == ctl->argv[i]) {
            fprintf(stderr, "skylarkctl: %s: an option of the driver is NAME=VALUE\n", ctl->argv[i]);
            json_object_put(options);
            return EXIT_USAGE;
        }
        char *name = strndup(ctl->argv[i], (size_t)(equals - ctl->argv[i]));
        if (name == NULL || json_object_object_add(options, name, json_object_new_string(equals + 1)) != 0) {
            fputs("skylarkctl: out of memory\n", stderr);
            free(name);
            json_object_put(options);
            return EXIT_FAILED;
        }
        free(name);
    }
    const char *params[CTL_VOLUME_TYPE_SET_P__MAX] = {
        [CTL_VOLUME_TYPE_SET_P_NAME] = ctl->argv[0],
        [CTL_VOLUME_TYPE_SET_P_DRIVER] = ctl->argv[1],
        [CTL_VOLUME_TYPE_SET_P_OPTIONS] = json_object_to_json_string(options),
    };
    int status = output_change(ctl, CTL_VOLUME_TYPE_SET, params, "volume type set; volumes that are there already stay as they are",
                               "nothing was changed");
    json_object_put(options);
    return status;
}

int command_volume_type_remove(struct ctl *ctl)
{
    const char *params[CTL_VOLUME_TYPE_REMOVE_P__MAX] = {[CTL_VOLUME_TYPE_REMOVE_P_NAME] = ctl->argv[0]};
    return output_change(ctl, CTL_VOLUME_TYPE_REMOVE, params, "volume type removed", "there is no such volume type");
}
