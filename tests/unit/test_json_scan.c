/* json_scan: what is reported, and where. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "fcgi/json_scan.h"
#include "tests/unit/suites.h"

struct seen {
    struct buf text; /* "path: detail\n" of each fault */
};

static void note(void *context, const char *path, const char *detail)
{
    struct seen *seen = context;
    buf_addf(&seen->text, "%s: %s\n", path, detail);
}

struct row {
    const char *text;
    size_t len; /* 0: strlen */
    int faults;
    const char *says; /* part of what is reported */
};

static const struct row rows[] = {
    {"{}", 0, 0, ""},
    {" {\"a\" : [1, -2.5e3, true, false, null, \"x\\u00e9\\ud83d\\ude00\"]} ", 0, 0, ""},
    {"\"text\"", 0, 0, ""},
    {"{\"a\":1,\"a\":2}", 0, 1, "a: this key stands here more than once"},
    {"{\"a\":1,\"\\u0061\":2}", 0, 1, "a: this key stands here more than once"},
    {"{\"o\":{\"k\":1,\"k\":1,\"k\":1}}", 0, 2, "o.k: this key stands here more than once"},
    {"{\"l\":[{\"k\":1},{\"k\":1,\"k\":2}]}", 0, 1, "l[1].k: this key"},
    {"{\"a\":{\"b\":1},\"b\":2}", 0, 0, ""},
    {"", 0, 1, "line 1, column 1: the text ends too early"},
    {"{", 0, 1, "a key in double quotes was expected"},
    {"{\"a\"}", 0, 1, "a colon was expected"},
    {"{\"a\":1,}", 0, 1, "a key in double quotes was expected"},
    {"[1,]", 0, 1, "a value was expected"},
    {"{\"a\":1\n \"b\":2}", 0, 1, "line 2, column 2: a comma or a closing brace"},
    {"{} x", 0, 1, "the text goes on"},
    {"{}\0", 3, 1, "the byte NUL"},
    {"{\"a\":\"x\0y\"}", 11, 1, "the byte NUL"},
    {"{\"a\":\"x\\u0000y\"}", 0, 1, "a: must not contain the character NUL"},
    {"{\"a\":\"\\ud800\"}", 0, 1, "a: must not contain half of a surrogate pair"},
    {"{\"a\":\"\\udc00\\ud800\"}", 0, 1, "half of a surrogate pair"},
    {"{\"a\":\"\xff\"}", 0, 1, "not valid UTF-8"},
    {"{\"a\":\"\xc0\x80\"}", 0, 1, "not valid UTF-8"},
    {"{\"a\":\"\xed\xa0\x80\"}", 0, 1, "not valid UTF-8"},
    {"{\"a\":\"line\nend\"}", 0, 1, "must be escaped"},
    {"{\"a\":\"\\x\"}", 0, 1, "a backslash must be followed by"},
    {"{\"a\":\"open", 0, 1, "a string is not closed"},
    {"{\"a\":\"\\u12g4\"}", 0, 1, "four hexadecimal digits"},
    {"{\"a\":01}", 0, 1, "not a number"},
    {"{\"a\":1.}", 0, 1, "digits must follow the decimal point"},
    {"{\"a\":1e}", 0, 1, "digits must follow the exponent"},
    {"{\"a\":+1}", 0, 1, "a value was expected"},
    {"{\"a\":NaN}", 0, 1, "a value was expected"},
    {"{\"a\":1e400,\"b\":-1e999}", 0, 2, "b: this number is too large"},
    {"{'a':1}", 0, 1, "double quotes"},
};

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct seen seen = {0};
        size_t len = rows[i].len > 0 ? rows[i].len : strlen(rows[i].text);
        int faults = json_scan(rows[i].text, len, note, &seen);
        CU_ASSERT_EQUAL(faults, rows[i].faults);
        CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&seen.text), rows[i].says));
        if (faults != rows[i].faults || strstr(buf_text(&seen.text), rows[i].says) == NULL)
            printf("\n  row %zu (%s): %d faults: %s", i, rows[i].text, faults, buf_text(&seen.text));
        buf_free(&seen.text);
    }
}

static void test_depth(void)
{
    struct buf deep = {0};
    struct seen seen = {0};
    for (int i = 0; i < JSON_SCAN_DEPTH_MAX; i++)
        buf_addc(&deep, '[');
    for (int i = 0; i < JSON_SCAN_DEPTH_MAX; i++)
        buf_addc(&deep, ']');
    CU_ASSERT_EQUAL(json_scan(deep.data, deep.len, note, &seen), 0);
    buf_clear(&deep);
    for (int i = 0; i < 10000; i++)
        buf_adds(&deep, "{\"a\":");
    CU_ASSERT_EQUAL(json_scan(deep.data, deep.len, note, &seen), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&seen.text), "nested too deep"));
    buf_free(&deep);
    buf_free(&seen.text);
}

void suite_json_scan(void)
{
    CU_pSuite suite = CU_add_suite("json_scan", NULL, NULL);
    CU_add_test(suite, "texts, faults and places", test_rows);
    CU_add_test(suite, "depth", test_depth);
}
