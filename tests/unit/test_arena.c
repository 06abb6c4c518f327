/* arena: memory of one request. */
#include <CUnit/CUnit.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "fcgi/arena.h"
#include "tests/unit/suites.h"

static void test_memory(void)
{
    struct arena arena = {0};
    unsigned char *pieces[200];
    for (size_t i = 0; i < 200; i++) {
        pieces[i] = arena_alloc(&arena, i * 7 + 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(pieces[i]);
        CU_ASSERT_EQUAL((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        for (size_t b = 0; b < i * 7 + 1; b++)
            CU_ASSERT_EQUAL(pieces[i][b], 0);
        memset(pieces[i], (int)i + 1, i * 7 + 1);
    }
    for (size_t i = 0; i < 200; i++)
        CU_ASSERT_TRUE(pieces[i][0] == (unsigned char)(i + 1) && pieces[i][i * 7] == (unsigned char)(i + 1));
    char *large = arena_printf(&arena, "%0*d", 100000, 7);
    CU_ASSERT_PTR_NOT_NULL_FATAL(large);
    CU_ASSERT_EQUAL(strlen(large), 100000);
    CU_ASSERT_FALSE(arena.failed);
    CU_ASSERT_PTR_NULL(arena_alloc(&arena, SIZE_MAX - 3));
    CU_ASSERT_TRUE(arena.failed);
    arena_free(&arena);
    CU_ASSERT_FALSE(arena.failed);
}

static char released[8];

static void release(void *object)
{
    strncat(released, object, 1);
}

static void test_owned(void)
{
    struct arena arena = {0};
    CU_ASSERT_TRUE(arena_own(&arena, release, "a"));
    CU_ASSERT_TRUE(arena_own(&arena, release, NULL));
    CU_ASSERT_TRUE(arena_own(&arena, release, "b"));
    CU_ASSERT_STRING_EQUAL(released, "");
    arena_free(&arena);
    CU_ASSERT_STRING_EQUAL(released, "ba");
    arena_free(&arena);
    CU_ASSERT_STRING_EQUAL(released, "ba");
}

void suite_arena(void)
{
    CU_pSuite suite = CU_add_suite("arena", NULL, NULL);
    CU_add_test(suite, "memory", test_memory);
    CU_add_test(suite, "what it owns", test_owned);
}
