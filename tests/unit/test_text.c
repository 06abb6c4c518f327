/* utf8, shellwords, clock, buf, checks: small things that much relies on. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/shellwords.h"
#include "common/utf8.h"
#include "fcgi/checks.h"
#include "tests/unit/suites.h"

static void test_utf8(void)
{
    static const struct {
        const char *bytes;
        bool valid;
    } rows[] = {
        {"", true}, {"abc", true}, {"\xc3\xa9", true}, {"\xe2\x82\xac", true}, {"\xf0\x9f\x98\x80", true},
        {"\xf4\x8f\xbf\xbf", true}, {"\xc0\x80", false}, {"\xc1\xbf", false}, {"\xe0\x9f\xbf", false}, {"\xed\xa0\x80", false},
        {"\xf0\x8f\xbf\xbf", false}, {"\xf4\x90\x80\x80", false}, {"\xf5\x80\x80\x80", false}, {"\x80", false}, {"\xc3", false},
        {"\xe2\x82", false}, {"a\xff" "b", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CU_ASSERT_EQUAL(utf8_valid(rows[i].bytes, strlen(rows[i].bytes)), rows[i].valid);
    struct buf b = {0};
    utf8_add_storable(&b, "ok\0\xc3\xa9\xe2\x82x\xff", 9);
    CU_ASSERT_STRING_EQUAL(buf_text(&b), "ok\xe2\x90\x80\xc3\xa9\xef\xbf\xbd\xef\xbf\xbdx\xef\xbf\xbd");
    buf_free(&b);
}

static void test_shellwords(void)
{
    static const struct {
        const char *text, *words; /* words joined by |; NULL: refused */
    } rows[] = {
        {"", ""}, {"  ", ""}, {"a b", "a|b"}, {" a\t\nb ", "a|b"}, {"'a b' c", "a b|c"}, {"\"a b\"c", "a bc"}, {"''", ""},
        {"a '' b", "a||b"}, {"a\\ b", "a b"}, {"\"a\\\"b\\$c\\d\"", "a\"b$c\\d"}, {"'a\\b'", "a\\b"}, {"$HOME `x` * ; | > &", "$HOME|`x`|*|;|||>|&"},
        {"a\\\nb", "ab"}, {"\"a\\\nb\"", "ab"}, {"#x", "#x"}, {"'", NULL}, {"\"", NULL}, {"a\\", NULL}, {"\"a\\\"", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char **words;
        const char *fault;
        size_t n = 0;
        int result = shellwords_split(rows[i].text, &words, &n, &fault);
        CU_ASSERT_EQUAL(result, rows[i].words != NULL ? 0 : -1);
        if (result != 0) {
            CU_ASSERT_PTR_NULL(words);
            CU_ASSERT_PTR_NOT_NULL(fault);
            continue;
        }
        struct buf joined = {0};
        for (size_t k = 0; k < n; k++)
            buf_addf(&joined, "%s%s", k > 0 ? "|" : "", words[k]);
        CU_ASSERT_STRING_EQUAL(buf_text(&joined), rows[i].words);
        CU_ASSERT_PTR_NULL(words[n]);
        buf_free(&joined);
        shellwords_free(words);
    }
}

static void test_clock(void)
{
    static const struct {
        const char *text;
        int64_t ns; /* -1: refused */
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0}, {"2015-04-14T09:46:39.457Z", 1429004799457000000}, {"2015-04-14T17:46:39.457+08:00", 1429004799457000000},
        {"2026-11-23T13:55:06.472123456Z", 1795442106472123456}, {"2024-02-29T00:00:00Z", 1709164800000000000}, {"2023-02-29T00:00:00Z", -1},
        {"2015-13-01T00:00:00Z", -1}, {"2015-04-31T00:00:00Z", -1}, {"2015-04-14T24:00:00Z", -1}, {"2015-04-14T09:46:39", -1},
        {"2015-04-14T09:46:39.Z", -1}, {"2015-04-14T09:46:39.1234567890Z", -1}, {"9999-01-01T00:00:00Z", -1}, {"", -1},
        {"2015-04-14T09:46:39Zx", -1}, {"15-04-14T09:46:39Z", -1}, {"2015-04-14T09:46:39+8:00", -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ns = -2;
        int result = clock_parse_rfc3339(rows[i].text, strlen(rows[i].text), &ns);
        CU_ASSERT_EQUAL(result, rows[i].ns >= 0 ? 0 : -1);
        if (result == 0)
            CU_ASSERT_EQUAL(ns, rows[i].ns);
    }
    char out[CLOCK_ISO_SIZE];
    clock_format_iso(INT64_C(1429004799457999999), out);
    CU_ASSERT_STRING_EQUAL(out, "2015-04-14T09:46:39.457Z");
    clock_format_iso(-1, out);
    CU_ASSERT_STRING_EQUAL(out, "1969-12-31T23:59:59.999Z");
}

static void test_buf_json(void)
{
    struct buf b = {0};
    buf_add_json(&b, "a\"\\\n\t\x01\x7f\xc3\xa9\xff", 10);
    CU_ASSERT_STRING_EQUAL(buf_text(&b), "\"a\\\"\\\\\\n\\u0009\\u0001\\u007f\xc3\xa9\\ufffd\"");
    buf_consume(&b, 2);
    CU_ASSERT_EQUAL(b.data[0], '\\');
    buf_free(&b);
}

static void test_checks(void)
{
    static const struct {
        text_check *check;
        const char *good, *bad; /* words, split at blanks; "_" stands for the empty text */
    } rows[] = {
        {check_service_name, "a a-b 0 web-1", "_ A -a a- a_b a.b a/b é"},
        {check_image_name, "nginx a/b localhost/x reg.example.com:5000/a/b index.alauda.cn/alauda/ubuntu a__b a-b.c",
         "_ nginx:1 A a//b /a a/ -a a- a/B:x host:port/a a@sha256:b http://x"},
        {check_image_tag, "latest 1.0 _x A-b", "_ .a -a a:b a/b"},
        {check_host_names, "_ a.b www.example.com xn--bcher-kva.example include.a", "include default hostnames volatile localhost a *.a a..b .a a. -a.b a_b.c a:80 A.b"},
        {check_envvar_name, "A _a A1 a.b-c", "_ 1A =A A=B A$ é"},
        {check_volume_dir, "/data /a/b /a.b/..c", "_ / data /data/ //a /a/../b /a/. /proc /proc/1 /sys/x /dev /a:b /a,b"},
        {check_volume_type, "EBS local-x 1_a", "_ -a a.b"},
        {check_alias, "db DB_1 a-b", "_ -a a- a.b"},
        {check_run_command, "_ a 'x'", "' \" \\"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int bad = 0; bad < 2; bad++) {
            char *copy = strdup(bad ? rows[i].bad : rows[i].good), *rest = copy;
            for (char *word; (word = strsep(&rest, " ")) != NULL;) {
                const char *fault = rows[i].check(strcmp(word, "_") == 0 ? "" : word);
                CU_ASSERT_EQUAL(fault != NULL, bad);
                if ((fault != NULL) != bad)
                    printf("\n  check %zu of \"%s\": %s", i, word, fault != NULL ? fault : "taken");
            }
            free(copy);
        }
    }
}

void suite_text(void)
{
    CU_pSuite suite = CU_add_suite("text", NULL, NULL);
    CU_add_test(suite, "utf8", test_utf8);
    CU_add_test(suite, "shellwords", test_shellwords);
    CU_add_test(suite, "clock", test_clock);
    CU_add_test(suite, "buf, as JSON", test_buf_json);
    CU_add_test(suite, "checks of texts", test_checks);
}
