/* Runs the suites of what needs processes of its own: no database, no engine. */
#include "tests/lib/check.h"
#include "tests/process/suites.h"

static void (*const suites[])(void) = {
    suite_signals, suite_supervisor, suite_listen, suite_listener,
};

int main(void)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
        suites[i]();
    return check_run();
}
