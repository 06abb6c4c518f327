/* Runs the suites of all modules of pure logic: no database, no engine, no network. */
#include <CUnit/Basic.h>

#include "tests/unit/suites.h"

static void (*const suites[])(void) = {
    suite_access,    suite_collector, suite_config,  suite_docker, suite_fields, suite_form, suite_fuzz, suite_json_scan,
    suite_metrics,   suite_plan,      suite_problem, suite_query, suite_reference, suite_route, suite_router,
    suite_text,
};

int main(void)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
        suites[i]();
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_tests_failed() + CU_get_number_of_suites_failed();
    unsigned missing = CU_get_number_of_tests_run() == 0;
    CU_cleanup_registry();
    return failed > 0 || missing ? 1 : 0;
}
