/* Checks that say what they saw, and running suites. */
#include "tests/lib/check.h"

#include <CUnit/Basic.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool check_that(bool holds, unsigned line, const char *file, const char *condition, const char *fmt, ...)
{
    char text[4096], seen[3584];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(seen, sizeof seen, fmt, ap);
    va_end(ap);
    snprintf(text, sizeof text, "%.400s: %s", condition, seen);
    CU_assertImplementation(holds, line, text, file, "", CU_FALSE);
    return holds;
}

static bool wanted(const char *name, int argc, char **argv)
{
    bool any = argc < 2;
    for (int i = 1; i < argc; i++)
        any = any || strstr(name, argv[i]) != NULL;
    return any;
}

int check_main(const struct check_suite *suites, size_t n_suites, int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    for (size_t i = 0; i < n_suites; i++) {
        CU_pSuite suite = CU_add_suite(suites[i].name, NULL, NULL);
        if (suite == NULL)
            return 2;
        for (const struct check_test *t = suites[i].tests; t->name != NULL; t++) {
            if (wanted(t->name, argc, argv) && CU_add_test(suite, t->name, t->run) == NULL)
                return 2;
        }
    }
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    bool failed = CU_get_number_of_tests_failed() > 0 || CU_get_number_of_tests_run() == 0;
    CU_cleanup_registry();
    return failed ? 1 : 0;
}
