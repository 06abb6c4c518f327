/* Times in a URL's query: both forms mean the same, up to the end of what 64 bits of nanoseconds hold. */
#include <CUnit/CUnit.h>
#include <inttypes.h>
#include <stdio.h>

#include "fcgi/query_check.h"
#include "tests/unit/suites.h"

static const struct {
    const char *text;
    bool valid, whole;
    int64_t ns;
} rows[] = {
    {.text = "0", .valid = true, .whole = true, .ns = 0},
    {.text = "1433753210", .valid = true, .whole = true, .ns = INT64_C(1433753210000000000)},
    {.text = "1433753210.25", .valid = true, .ns = INT64_C(1433753210250000000)},
    {.text = "1433753210.0", .valid = true, .ns = INT64_C(1433753210000000000)},
    {.text = "1433753210.123456789", .valid = true, .ns = INT64_C(1433753210123456789)},
    /* the same second as RFC 3339 means the whole second, too */
    {.text = "2015-06-08T08:46:50Z", .valid = true, .whole = true, .ns = INT64_C(1433753210000000000)},
    {.text = "2015-06-08T16:46:50+08:00", .valid = true, .whole = true, .ns = INT64_C(1433753210000000000)},
    {.text = "2015-06-08T08:46:50.250Z", .valid = true, .ns = INT64_C(1433753210250000000)},
    {.text = "2015-06-08T08:46:50.000Z", .valid = true, .ns = INT64_C(1433753210000000000)},
    {.text = "1970-01-01T00:00:00Z", .valid = true, .whole = true, .ns = 0},
    /* a day before the end, in both forms; then beyond it */
    {.text = "9223285636", .valid = true, .whole = true, .ns = INT64_C(9223285636000000000)},
    {.text = "9223285636.999999999", .valid = true, .ns = INT64_C(9223285636999999999)},
    {.text = "2262-04-10T23:47:16Z", .valid = true, .whole = true, .ns = INT64_C(9223285636000000000)},
    {.text = "2262-04-10T23:47:16.999999999Z", .valid = true, .ns = INT64_C(9223285636999999999)},
    {.text = "9223285637"},
    {.text = "2262-04-10T23:47:17Z"},
    {.text = "2262-04-11T23:47:16Z"},
    {.text = "2262-04-11T23:47:16.854775807Z"},
    {.text = "2262-04-11T23:47:16.854775808Z"},
    {.text = "2262-04-11T23:47:17Z"},
    {.text = "9223372036"},
    {.text = "9223372037"},
    {.text = "9999999999"},
    {.text = "99999999999999999999"},
    {.text = "9999-12-31T23:59:59Z"},
    {.text = "0000-01-01T00:00:00Z"},
    {.text = "1969-12-31T23:59:59Z"},
    {.text = "1970-01-01T00:00:00+00:01"},
    {.text = "1677-09-21T00:12:43Z"},
    {.text = "-1"},
    {.text = ""},
    {.text = "."},
    {.text = "1433753210."},
    {.text = "1433753210.1234567890"},
    {.text = "1433753210x"},
    {.text = " 1433753210"},
    {.text = "yesterday"},
};

static void test_time(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ns = -1;
        bool whole = false;
        bool valid = query_time_parse(rows[i].text, &ns, &whole);
        bool same = valid == rows[i].valid && (!valid || (ns == rows[i].ns && whole == rows[i].whole));
        if (!same)
            printf("\"%s\": %d, %" PRId64 ", whole %d\n", rows[i].text, valid, ns, whole);
        CU_ASSERT_TRUE(same);
    }
}

void suite_query(void)
{
    CU_pSuite suite = CU_add_suite("query", NULL, NULL);
    CU_add_test(suite, "times", test_time);
}
