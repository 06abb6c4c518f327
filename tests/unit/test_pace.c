/* pace: a loop that makes no progress waits, and ever longer, whatever is due. */
#include <CUnit/CUnit.h>
#include <stddef.h>

#include "common/pace.h"
#include "tests/unit/suites.h"

#define MOST 10000

static void test_overdue(void)
{
    struct pace p = {0};
    int64_t total = 0;
    int before = 0;
    for (int i = 0; i < 20; i++) {
        int wait = pace_wait(&p, -1, true, MOST);
        CU_ASSERT(wait >= 20 && wait <= 1000 && wait >= before);
        before = wait;
        total += wait;
    }
    /* As long as nothing gives way, an iteration a second. */
    CU_ASSERT(before == 1000 && total > 10000);
    pace_progress(&p);
    CU_ASSERT_EQUAL(pace_wait(&p, -1, true, MOST), 20);
    /* Something else is due before: that is not waited past. */
    CU_ASSERT_EQUAL(pace_wait(&p, -1, true, MOST), 40);
    CU_ASSERT_EQUAL(pace_wait(&p, -1, true, MOST), 80);
    CU_ASSERT_EQUAL(pace_wait(&p, 30, true, MOST), 30);
}

static void test_due(void)
{
    static const struct {
        int64_t due;
        int wait;
    } rows[] = {{-1, MOST}, {0, 20}, {1, 20}, {500, 500}, {MOST, MOST}, {MOST + 1, MOST}, {INT64_MAX, MOST}};
    struct pace p = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CU_ASSERT_EQUAL(pace_wait(&p, rows[i].due, false, MOST), rows[i].wait);
}

void suite_pace(void)
{
    CU_pSuite s = CU_add_suite("pace", NULL, NULL);
    CU_add_test(s, "what is overdue is waited for, ever longer", test_overdue);
    CU_add_test(s, "what falls due is waited for, and no shorter than the least", test_due);
}
