/* Sends the Skylark that the environment names requests that are built to be expensive: some for each row of the API's tables. */
#include <curl/curl.h>
#include <string.h>

#include "tests/hostile/hostile.h"
#include "tests/lib/world.h"

int main(int argc, char **argv)
{
    static const struct check_suite suites[] = {{"hostile bodies", tests_bodies}, {"hostile fields", tests_fields}};
    if (argc < 2 || strcmp(argv[1], "--list") != 0)
        world_open();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int result = check_main(suites, sizeof suites / sizeof suites[0], argc, argv);
    http_end();
    curl_global_cleanup();
    return result;
}
