/* namespace …, member …: organisations, and who may do what where. */
#include <stdio.h>
#include <string.h>

#include "ctl/output.h"
#include "gen/ctl_statements.h"

int command_namespace_create(struct ctl *ctl)
{
    const char *params[CTL_NAMESPACE_CREATE_P__MAX] = {[CTL_NAMESPACE_CREATE_P_NAME] = ctl->argv[0]};
    return output_change(ctl, CTL_NAMESPACE_CREATE, params, "namespace created", "nothing was created");
}

int command_namespace_list(struct ctl *ctl)
{
    return output_query(ctl, CTL_NAMESPACES_LIST, NULL);
}

int command_member_set(struct ctl *ctl)
{
    const char *right = ctl->argv[2];
    if (strcmp(right, "read") != 0 && strcmp(right, "write") != 0 && strcmp(right, "admin") != 0) {
        fputs("skylarkctl: the right is one of read, write, admin\n", stderr);
        return EXIT_USAGE;
    }
    const char *params[CTL_MEMBER_SET_P__MAX] = {
        [CTL_MEMBER_SET_P_NAMESPACE] = ctl->argv[0],
        [CTL_MEMBER_SET_P_USER_NAME] = ctl->argv[1],
        [CTL_MEMBER_SET_P_ACCESS] = right,
    };
    return output_change(ctl, CTL_MEMBER_SET, params, "right given", "there is no such namespace or user");
}

int command_member_remove(struct ctl *ctl)
{
    const char *params[CTL_MEMBER_REMOVE_P__MAX] = {
        [CTL_MEMBER_REMOVE_P_NAMESPACE] = ctl->argv[0],
        [CTL_MEMBER_REMOVE_P_USER_NAME] = ctl->argv[1],
    };
    return output_change(ctl, CTL_MEMBER_REMOVE, params, "right taken away", "that user has no right there");
}
