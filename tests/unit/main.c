/* Runs the suites of all modules of pure logic: no database, no engine, no network. */
#include <string.h>

#include "tests/lib/check.h"
#include "tests/unit/suites.h"

static void (*const suites[])(void) = {
    suite_access,
    suite_arena,
    suite_check,
    suite_collector,
    suite_condition,
    suite_config,
    suite_docker,
    suite_fields,
    suite_form,
    suite_fuzz,
    suite_json_read,
    suite_json_space,
    suite_log_cursor,
    suite_metrics,
    suite_nginx,
    suite_pace,
    suite_plan,
    suite_problem,
    suite_query,
    suite_reference,
    suite_route,
    suite_router,
    suite_statement_use,
    suite_text,
};

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--watched") == 0)
        return check_watched();
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
        suites[i]();
    return check_run();
}
