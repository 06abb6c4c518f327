/* reference: docs/api.md says what the tables say. With UPDATE_DOCS=1 in the environment it is written anew. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/reference.h"
#include "tests/unit/suites.h"

static void add_file(struct buf *b, const char *path)
{
    char piece[4096];
    FILE *file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0;)
        buf_add(b, piece, n);
    fclose(file);
}

static void test_current(void)
{
    struct buf wanted = {0}, there = {0};
    add_file(&wanted, "docs/api-intro.md");
    reference_render(&wanted);
    if (getenv("UPDATE_DOCS") != NULL) {
        FILE *file = fopen("docs/api.md", "w");
        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        CU_ASSERT_EQUAL(fwrite(wanted.data, 1, wanted.len, file), wanted.len);
        fclose(file);
    }
    add_file(&there, "docs/api.md");
    CU_ASSERT_TRUE(there.len > 1000);
    CU_ASSERT_STRING_EQUAL(buf_text(&there), buf_text(&wanted));
    buf_free(&wanted);
    buf_free(&there);
}

void suite_reference(void)
{
    CU_pSuite suite = CU_add_suite("reference", NULL, NULL);
    CU_add_test(suite, "docs/api.md is current", test_current);
}
