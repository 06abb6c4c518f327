/* status: the engine, the services and their instances at a glance. */
#include <stdio.h>

#include "ctl/output.h"
#include "gen/ctl_statements.h"

/* Rows a table. A person looks for no more, and whoever does has the views. */
#define ROWS_MOST 500
#define TEXT_OF(number) TEXT_OF_VALUE(number)
#define TEXT_OF_VALUE(number) #number

int command_status(struct ctl *ctl)
{
    const char *namespace = ctl->argc > 0 ? ctl->argv[0] : NULL;
    const char *summary[CTL_STATUS_SUMMARY_P__MAX] = {[CTL_STATUS_SUMMARY_P_NAMESPACE] = namespace};
    const char *services[CTL_STATUS_SERVICES_P__MAX] = {
        [CTL_STATUS_SERVICES_P_NAMESPACE] = namespace, [CTL_STATUS_SERVICES_P_MOST] = TEXT_OF(ROWS_MOST)};
    const char *instances[CTL_STATUS_INSTANCES_P__MAX] = {
        [CTL_STATUS_INSTANCES_P_NAMESPACE] = namespace, [CTL_STATUS_INSTANCES_P_MOST] = TEXT_OF(ROWS_MOST)};
    const struct {
        const char *title;
        unsigned statement;
        const char *const *params;
        const char *missing; /* what it means that there is no row; NULL: nothing */
        const char *rest;    /* of a list: where the rows are that are not shown */
    } parts[] = {
        {.title = "Summary", .statement = CTL_STATUS_SUMMARY, .params = summary, .missing = "there is no such namespace"},
        {.title = "Engine", .statement = CTL_STATUS_ENGINE},
        {.title = "Services", .statement = CTL_STATUS_SERVICES, .params = services, .rest = "TABLE skylark.services_overview"},
        {.title = "Instances", .statement = CTL_STATUS_INSTANCES, .params = instances, .rest = "TABLE skylark.instances_overview"},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        int rows = 0;
        if (i > 0)
            putchar('\n');
        int status = output_query_titled(ctl, parts[i].title, parts[i].statement, parts[i].params, parts[i].missing, &rows);
        if (status != 0)
            return status;
        if (parts[i].rest != NULL && rows == ROWS_MOST)
            printf("The first %d. The others: skylarkctl status NAMESPACE, or in psql %s\n", ROWS_MOST, parts[i].rest);
    }
    return 0;
}
