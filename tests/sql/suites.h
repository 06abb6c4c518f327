/* The suites of the schema and the statements; main.c runs them all. */
#ifndef SKYLARK_TESTS_SQL_SUITES_H
#define SKYLARK_TESTS_SQL_SUITES_H

#include "tests/lib/check.h"
#include "tests/lib/sql.h"

extern const struct check_test tests_migrate[], tests_statements[], tests_rules[], tests_rights[], tests_autoscaling[],
    tests_documents[], tests_endpoints[], tests_by_hand[], tests_locks[], tests_logins[], tests_logs[], tests_retention[], tests_quotas[], tests_status[];

#endif
