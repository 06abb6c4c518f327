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
    for (int i = 0; i < 5000; i++)
        problem_add(&p, "f", "%d", i);
    problem_document(&p, "id", &out);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&out), "There are 5000 faults; the first 100 are named."));
    CU_ASSERT_TRUE(out.len < 10000);
    buf_free(&out);
    problem_free(&p);
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
    CU_add_test(suite, "every kind has a status", test_kinds);
}
