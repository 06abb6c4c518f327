/* status: the engine, the services and their instances at a glance. */
#include <stdio.h>

#include "ctl/output.h"
#include "gen/ctl_statements.h"

int command_status(struct ctl *ctl)
{
    static const struct {
        const char *title;
        unsigned statement;
    } parts[] = {{"Engine", CTL_STATUS_ENGINE}, {"Services", CTL_STATUS_SERVICES}, {"Instances", CTL_STATUS_INSTANCES}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        printf("%s%s\n", i > 0 ? "\n" : "", parts[i].title);
        int status = output_query(ctl, parts[i].statement, NULL);
        if (status != 0)
            return status;
    }
    return 0;
}
