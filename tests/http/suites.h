/* The suites of the contract, one a topic; main.c runs them all. */
#ifndef SKYLARK_TESTS_HTTP_SUITES_H
#define SKYLARK_TESTS_HTTP_SUITES_H

#include "tests/lib/check.h"

extern const struct check_test tests_seed[], tests_routes[], tests_list[], tests_forms[], tests_logs[], tests_readers[], tests_auth[],
    tests_bad_input[], tests_front[], tests_scaling[], tests_endpoints[], tests_lookup[], tests_settings[], tests_quotas[];

#endif
