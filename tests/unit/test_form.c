/* form: query strings, urlencoded and multipart bodies. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/form.h"
#include "tests/unit/suites.h"

static void test_decode(void)
{
    static const struct {
        const char *in;
        bool plus;
        const char *out; /* NULL: refused */
    } rows[] = {
        {"abc", false, "abc"}, {"a%20b", false, "a b"}, {"a+b", true, "a b"},   {"a+b", false, "a+b"},
        {"%2f", false, "/"},   {"%2F", false, "/"},     {"%", false, NULL},     {"%4", false, NULL},
        {"%zz", false, NULL},  {"%00", false, NULL},    {"%ff", false, NULL},   {"%c3%a9", false, "\xc3\xa9"},
        {"", false, ""},       {"%41%", false, NULL},   {"%252f", false, "%2f"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *out = form_decode(rows[i].in, strlen(rows[i].in), rows[i].plus);
        if (rows[i].out == NULL)
            CU_ASSERT_PTR_NULL(out);
        if (rows[i].out != NULL)
            CU_ASSERT_TRUE(out != NULL && strcmp(out, rows[i].out) == 0);
        free(out);
    }
}

static void test_urlencoded(void)
{
    struct form f = {0};
    const char *fault = NULL;
    static const char text[] = "a=1&b=x%26y&c&&d=";
    CU_ASSERT_EQUAL(form_parse_urlencoded(&f, text, strlen(text), &fault), 0);
    CU_ASSERT_STRING_EQUAL(form_get(&f, "a"), "1");
    CU_ASSERT_STRING_EQUAL(form_get(&f, "b"), "x&y");
    CU_ASSERT_STRING_EQUAL(form_get(&f, "c"), "");
    CU_ASSERT_STRING_EQUAL(form_get(&f, "d"), "");
    CU_ASSERT_PTR_NULL(form_get(&f, "e"));
    form_free(&f);
    CU_ASSERT_EQUAL(form_parse_urlencoded(&f, "a=1&a=2", 7, &fault), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(fault, "more than once"));
    form_free(&f);
    CU_ASSERT_EQUAL(form_parse_urlencoded(&f, "a=%zz", 5, &fault), -1);
    form_free(&f);
    char many[40 * 4 + 1] = "";
    for (int i = 0; i < 40; i++)
        snprintf(many + strlen(many), 5, "%02d=&", i);
    CU_ASSERT_EQUAL(form_parse_urlencoded(&f, many, strlen(many), &fault), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(fault, "too many"));
    form_free(&f);
}

static void test_multipart(void)
{
    static const char type[] = "multipart/form-data; boundary=\"xY\"";
    static const char good[] = "--xY\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\ndemo\r\n"
                               "--xY\r\ncontent-disposition: form-data; filename=\"f\"; name=password\r\n"
                               "Content-Type: text/plain\r\n\r\np w\r\n--no\r\n--xY\r\n"
                               "Content-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--xY--\r\n";
    struct form f = {0};
    const char *fault = NULL;
    CU_ASSERT_EQUAL(form_parse_multipart(&f, type, good, strlen(good), &fault), 0);
    CU_ASSERT_EQUAL(f.n, 3);
    CU_ASSERT_STRING_EQUAL(form_get(&f, "username"), "demo");
    CU_ASSERT_STRING_EQUAL(form_get(&f, "password"), "p w\r\n--no");
    CU_ASSERT_STRING_EQUAL(form_get(&f, "empty"), "");
    form_free(&f);
    /* Cut anywhere, it is refused and nothing is read beyond its end. */
    for (size_t n = 0; n < strlen(good) - strlen("--\r\n"); n++) {
        char *cut = malloc(n + 1);
        memcpy(cut, good, n);
        CU_ASSERT_EQUAL(form_parse_multipart(&f, type, cut, n, &fault), -1);
        form_free(&f);
        free(cut);
    }
    CU_ASSERT_EQUAL(form_parse_multipart(&f, "multipart/form-data", good, strlen(good), &fault), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(fault, "boundary"));
    form_free(&f);
    static const char nameless[] = "--xY\r\nContent-Disposition: form-data\r\n\r\nv\r\n--xY--";
    CU_ASSERT_EQUAL(form_parse_multipart(&f, type, nameless, strlen(nameless), &fault), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(fault, "no name"));
    form_free(&f);
}

void suite_form(void)
{
    CU_pSuite suite = CU_add_suite("form", NULL, NULL);
    CU_add_test(suite, "percent decoding", test_decode);
    CU_add_test(suite, "urlencoded", test_urlencoded);
    CU_add_test(suite, "multipart", test_multipart);
}
