/* problem: the document of RFC 9457. */
#include <CUnit/CUnit.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/problem.h"
#include "tests/unit/suites.h"

static const char *text_of(struct json_object *o, const char *name)
{
    return json_object_get_string(json_object_object_get(o, name));
}

static void test_document(void)
{
    struct problem p = {0};
    struct buf out = {0};
    problem_add(&p, "a\"b\n", "must be %s", "less \xff");
    problem_add(&p, "c", "x");
    problem_set(&p, PROBLEM_CONFLICT, "too late: the first one stands");
    problem_document(&p, "id-1", &out);
    struct json_object *o = json_tokener_parse(buf_text(&out));
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    CU_ASSERT_STRING_EQUAL(text_of(o, "type"), "urn:skylark:problem:invalid-input");
    CU_ASSERT_EQUAL(json_object_get_int(json_object_object_get(o, "status")), 400);
    CU_ASSERT_STRING_EQUAL(text_of(o, "request_id"), "id-1");
    struct json_object *errors = json_object_object_get(o, "errors");
    CU_ASSERT_EQUAL_FATAL(json_object_array_length(errors), 2);
    CU_ASSERT_STRING_EQUAL(text_of(json_object_array_get_idx(errors, 0), "field"), "a\"b\n");
    CU_ASSERT_STRING_EQUAL(text_of(json_object_array_get_idx(errors, 0), "detail"), "must be less \xef\xbf\xbd");
    json_object_put(o);
    buf_free(&out);
    problem_free(&p);
}

static void test_many_errors(void)
{
    struct problem p = {0};
    struct buf out = {0};
    for (int i = 0; i < 100; i++)
        problem_add(&p, "f", "%d", i);
    CU_ASSERT_FALSE(problem_full(&p));
    problem_document(&p, "id", &out);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&out), "errors names each fault"));
    buf_clear(&out);
    problem_add(&p, "f", "one more");
    CU_ASSERT_TRUE(problem_full(&p));
    problem_document(&p, "id", &out);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&out), "errors names the first 100 faults, and there are more."));
    CU_ASSERT_PTR_NULL(strstr(buf_text(&out), "one more"));
    buf_free(&out);
    problem_free(&p);
}

/* A document stays below its bound, and is UTF-8, whatever is in it. */
static void test_bound(void)
{
    static const char *const fillings[] = {"a", "\x1f", "\"", "\xc3\xa4", "a\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xff"};
    size_t size = 1 << 20;
    char *text = malloc(size);
    for (size_t f = 0; f < sizeof fillings / sizeof fillings[0]; f++) {
        size_t n = strlen(fillings[f]), len = 0;
        for (; len + n < size; len += n)
            memcpy(text + len, fillings[f], n);
        text[len] = '\0';
        struct problem faults = {0}, single = {0};
        struct buf out = {0};
        for (int i = 0; i < 200; i++)
            problem_add(&faults, text + (f < 3 ? i : 0), "%s", text);
        CU_ASSERT_TRUE(problem_full(&faults));
        problem_document(&faults, "id", &out);
        CU_ASSERT_TRUE(out.len < PROBLEM_DOCUMENT_MAX);
        struct json_object *o = json_tokener_parse(buf_text(&out));
        CU_ASSERT_TRUE(json_object_is_type(o, json_type_object));
        json_object_put(o);
        /* What was whole before the cut is whole after it. */
        CU_ASSERT_EQUAL(strstr(buf_text(&out), "\\ufffd") != NULL, f == 7);
        buf_clear(&out);
        problem_set(&single, PROBLEM_CONFLICT, "%s", text);
        problem_document(&single, "id", &out);
        CU_ASSERT_TRUE(out.len < PROBLEM_DOCUMENT_MAX / 2);
        CU_ASSERT_EQUAL(strstr(buf_text(&out), "\\ufffd") != NULL, f == 7);
        buf_free(&out);
        problem_free(&faults);
        problem_free(&single);
    }
    free(text);
}

static void test_kinds(void)
{
    for (enum problem_kind k = PROBLEM_BAD_REQUEST; k < PROBLEM__MAX; k++) {
        CU_ASSERT_TRUE(problem_code(k) >= 400 && problem_code(k) < 600);
        CU_ASSERT_EQUAL(strtol(problem_status(k), NULL, 10), problem_code(k));
    }
}

void suite_problem(void)
{
    CU_pSuite suite = CU_add_suite("problem", NULL, NULL);
    CU_add_test(suite, "document", test_document);
    CU_add_test(suite, "many errors", test_many_errors);
    CU_add_test(suite, "a document is small", test_bound);
    CU_add_test(suite, "every kind has a status", test_kinds);
}
