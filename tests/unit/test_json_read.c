/* json_read: what is reported, and where. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "fcgi/json_read.h"
#include "tests/unit/suites.h"

struct seen {
    struct buf text; /* "path: detail\n" of each fault */
    int n, most;     /* stops after the most; 0: never */
};

static bool note(void *context, const char *path, const char *detail)
{
    struct seen *seen = context;
    buf_addf(&seen->text, "%s: %s\n", path, detail);
    return seen->most == 0 || ++seen->n < seen->most;
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
    {"{\"a\":1e400,\"b\":-1e999}", 0, 0, ""}, /* a number all the same; its field says whether it fits */
    {"{\"a\":[1,2,3,4,5,6]}", 0, 1, "line 1, column 17: there are more than 7 values up to here"},
    {"{\"a\":[1,2,3,4,5]}", 0, 0, ""},
    {"[[],{},[],{},[[[]]]]", 0, 1, "more than 7 values"},
    {"{'a':1}", 0, 1, "double quotes"},
};

/* As many values as the longest text above that is to be taken. */
#define VALUES 7

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct seen seen = {0};
        struct json_object *json;
        size_t len = rows[i].len > 0 ? rows[i].len : strlen(rows[i].text);
        int faults = json_read(rows[i].text, len, i == 1 ? 8 : VALUES, note, &seen, &json);
        CU_ASSERT_EQUAL(faults, rows[i].faults);
        CU_ASSERT_EQUAL(json == NULL, faults > 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&seen.text), rows[i].says));
        if (faults != rows[i].faults || strstr(buf_text(&seen.text), rows[i].says) == NULL)
            printf("\n  row %zu (%s): %d faults: %s", i, rows[i].text, faults, buf_text(&seen.text));
        json_object_put(json);
        buf_free(&seen.text);
    }
}

static void test_numbers(void)
{
    static const char *const numbers[] = {
        "0", "-0", "1.10", "1e400", "-1E-7", "123456789012345678901234567890", "9223372036854775807", "9223372036854775808",
        "-9223372036854775809", "0.1000000000000000000000000000001", "1.0", "1E+2",
    };
    struct json_object *json;
    struct seen seen = {0};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        CU_ASSERT_EQUAL(json_read(numbers[i], strlen(numbers[i]), 1, note, &seen, &json), 0);
        CU_ASSERT_TRUE(json_object_is_type(json, json_type_double));
        CU_ASSERT_STRING_EQUAL(json_object_to_json_string(json), numbers[i]);
        json_object_put(json);
    }
    CU_ASSERT_EQUAL(json_read("null", 4, 1, note, &seen, &json), 0);
    CU_ASSERT_PTR_NULL(json);
    buf_free(&seen.text);
}

/* A key of a MiB is shown by its beginning; and whoever has heard enough is told no more. */
static void test_long_key(void)
{
    struct buf text = {0};
    struct json_object *json;
    buf_adds(&text, "{\"");
    for (int i = 0; i < 1 << 19; i++)
        buf_adds(&text, "ä");
    buf_adds(&text, "\":{\"k\":0");
    for (int i = 0; i < 200; i++)
        buf_adds(&text, ",\"k\":0");
    buf_adds(&text, "}}");
    struct seen seen = {.most = 7};
    CU_ASSERT_EQUAL(json_read(text.data, text.len, 1000, note, &seen, &json), 7);
    CU_ASSERT_PTR_NULL(json);
    CU_ASSERT_TRUE(seen.text.len < 7 * 400);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&seen.text), "ä….k: this key stands here more than once"));
    buf_free(&seen.text);
    buf_free(&text);
}

static void test_depth(void)
{
    struct buf deep = {0};
    struct seen seen = {0};
    struct json_object *json;
    for (int i = 0; i < JSON_READ_DEPTH_MAX; i++)
        buf_addc(&deep, '[');
    for (int i = 0; i < JSON_READ_DEPTH_MAX; i++)
        buf_addc(&deep, ']');
    CU_ASSERT_EQUAL(json_read(deep.data, deep.len, 100, note, &seen, &json), 0);
    json_object_put(json);
    buf_clear(&deep);
    for (int i = 0; i < 10000; i++)
        buf_adds(&deep, "{\"a\":");
    CU_ASSERT_EQUAL(json_read(deep.data, deep.len, 100, note, &seen, &json), 1);
    CU_ASSERT_PTR_NULL(json);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&seen.text), "nested too deep"));
    buf_free(&deep);
    buf_free(&seen.text);
}

void suite_json_read(void)
{
    CU_pSuite suite = CU_add_suite("json_read", NULL, NULL);
    CU_add_test(suite, "texts, faults and places", test_rows);
    CU_add_test(suite, "numbers keep their spelling", test_numbers);
    CU_add_test(suite, "long keys, many faults", test_long_key);
    CU_add_test(suite, "depth", test_depth);
}
