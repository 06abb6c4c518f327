/* Runs the end-to-end suites against the Skylark that the environment names: all, or with HALF=1 or 2 in the environment those that are
 * of that half. The halves run side by side, each against an installation of its own; they take about as long. */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/e2e.h"

#define ROWS_MAX 40

static const struct {
    int half; /* 0: of both */
    struct check_suite suite;
} rows[] = {
    {1, {"demo", tests_demo}},
    {1, {"idle", tests_idle}},
    {1, {"lifecycle", tests_lifecycle}},
    {1, {"endpoints", tests_endpoints}},
    {1, {"killed", tests_killed}},
    {1, {"trouble", tests_trouble}},
    {1, {"strays", tests_strays}},
    {1, {"volumes", tests_volumes}},
    {2, {"autoscaling", tests_autoscaling}},
    {2, {"locks", tests_locks}},
    {2, {"metrics", tests_metrics}},
    {2, {"routes", tests_routes}},
    {2, {"links", tests_links}},
    {0, {"secrets", tests_secrets}}, /* last, when all has run that could have written them */
};

int main(int argc, char **argv)
{
    struct check_suite suites[ROWS_MAX];
    size_t n = 0;
    const char *half = getenv("HALF");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && n < ROWS_MAX; i++)
        if (half == NULL || atoi(half) == 0 || rows[i].half == 0 || rows[i].half == atoi(half))
            suites[n++] = rows[i].suite;
    if (argc < 2 || strcmp(argv[1], "--list") != 0)
        world_open();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    check_deadline(NULL, 300);
    check_deadline("idle: no process uses more than 0.5 % of a core, no loop iterates without cause", 400);
    check_deadline("locks: a lock on one service's rows, and the others go on", 1200);
    int result = check_main(suites, n, argc, argv);
    http_end();
    curl_global_cleanup();
    return result;
}
