/* json_space: one form of blanks. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "fcgi/json_space.h"
#include "tests/unit/suites.h"

static const struct {
    const char *text, *spaced;
} rows[] = {
    {"", ""},
    {"{}", "{}"},
    {"{\"a\":1,\"b\":[1,2,{}]}", "{\"a\": 1, \"b\": [1, 2, {}]}"},
    {"{\"a\" : 1 , \"b\" : [ 1,\t2 ] }", "{\"a\": 1, \"b\": [1, 2]}"},
    {"{\"a\": 1, \"b\": null}", "{\"a\": 1, \"b\": null}"},
    {"{\"a\":\"x : y , z\\\" : \\\\\",\"b\":\"\"}", "{\"a\": \"x : y , z\\\" : \\\\\", \"b\": \"\"}"},
    {"{\"a:b , c\":\"{\\\"k\\\" : \\\"v\\\"}\"}", "{\"a:b , c\": \"{\\\"k\\\" : \\\"v\\\"}\"}"},
    {"[{\"a\":1},\n{\"a\":2}]\n", "[{\"a\": 1},\n{\"a\": 2}]\n"},
    {"[\"\\\\\",\"\\u0022\" , \"ä :\"]", "[\"\\\\\", \"\\u0022\", \"ä :\"]"},
};

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len = strlen(rows[i].text);
        for (size_t room = 2; room < 40; room++) {
            struct json_space state = {0};
            struct buf out = {0};
            char piece[40];
            for (const char *at = rows[i].text; at < rows[i].text + len;) {
                size_t n = json_space(&state, &at, rows[i].text + len, piece, room);
                CU_ASSERT_TRUE(n <= room);
                buf_add(&out, piece, n);
            }
            CU_ASSERT_STRING_EQUAL(buf_text(&out), rows[i].spaced);
            buf_free(&out);
        }
        CU_ASSERT_EQUAL(json_space_size(rows[i].text, len), strlen(rows[i].spaced));
    }
}

void suite_json_space(void)
{
    CU_pSuite suite = CU_add_suite("json_space", NULL, NULL);
    CU_add_test(suite, "blanks between tokens, and none in strings", test_rows);
}
