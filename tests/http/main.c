/* Runs the suites of the HTTP contract against the Skylark that the environment names. */
#include <curl/curl.h>
#include <string.h>

#include "tests/http/suites.h"
#include "tests/lib/http.h"
#include "tests/lib/world.h"

int main(int argc, char **argv)
{
    /* Logins come last: they leave the address throttled for a while. */
    static const struct check_suite suites[] = {
        {"seed", tests_seed}, {"routes", tests_routes}, {"list", tests_list}, {"forms", tests_forms},
        {"logs", tests_logs}, {"readers", tests_readers}, {"bad input", tests_bad_input}, {"front", tests_front},
        {"scaling", tests_scaling}, {"endpoints", tests_endpoints}, {"lookup", tests_lookup}, {"settings", tests_settings},
        {"quotas", tests_quotas}, {"auth", tests_auth},
    };
    if (argc < 2 || strcmp(argv[1], "--list") != 0)
        world_open();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int result = check_main(suites, sizeof suites / sizeof suites[0], argc, argv);
    http_end();
    curl_global_cleanup();
    return result;
}
