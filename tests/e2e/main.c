/* Runs the end-to-end suites against the Skylark that the environment names. */
#include <curl/curl.h>

#include "tests/e2e/e2e.h"

int main(int argc, char **argv)
{
    static const struct check_suite suites[] = {
        {"demo", tests_demo}, {"idle", tests_idle}, {"lifecycle", tests_lifecycle}, {"endpoints", tests_endpoints}, {"routes", tests_routes}, {"links", tests_links},
        {"volumes", tests_volumes}, {"autoscaling", tests_autoscaling}, {"killed", tests_killed}, {"trouble", tests_trouble},
        {"secrets", tests_secrets},
    };
    world_open();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int result = check_main(suites, sizeof suites / sizeof suites[0], argc, argv);
    http_end();
    curl_global_cleanup();
    return result;
}
