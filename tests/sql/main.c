/* The schema and every statement, against a real PostgreSQL. */
#include "tests/sql/suites.h"

int main(int argc, char **argv)
{
    static const struct check_suite suites[] = {
        {"migrate", tests_migrate},
        {"statements", tests_statements},
        {"rules", tests_rules},
        {"documents", tests_documents},
        {"by hand", tests_by_hand},
        {"endpoints", tests_endpoints},
        {"autoscaling", tests_autoscaling},
        {"locks", tests_locks},
        {"logins", tests_logins},
        {"logs", tests_logs},
        {"retention", tests_retention},
        {"quotas", tests_quotas},
        {"status", tests_status},
        {"rights", tests_rights},
    };
    return check_main(suites, sizeof suites / sizeof suites[0], argc, argv);
}
