/* What the CUnit suites that drive a whole Skylark have in common: a check that says what it saw, and the main
 * function's work. */
#ifndef SKYLARK_TESTS_LIB_CHECK_H
#define SKYLARK_TESTS_LIB_CHECK_H

#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <stddef.h>

/* Fails the running test, and goes on, when the condition does not hold; the message is printf's. */
#define CHECK(condition, ...) check_that((condition), __LINE__, __FILE__, #condition, __VA_ARGS__)
/* The same, and leaves the test function. */
#define REQUIRE(condition, ...)                                                                              \
    do {                                                                                                     \
        if (!CHECK(condition, __VA_ARGS__))                                                                  \
            return;                                                                                          \
    } while (0)

bool check_that(bool holds, unsigned line, const char *file, const char *condition, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

struct check_test {
    const char *name;
    CU_TestFunc run;
};
struct check_suite {
    const char *name;
    const struct check_test *tests; /* up to one without a name */
};

/* Runs the suites; with words on the command line only the tests whose names contain one of them. Returns
 * what main() returns. */
int check_main(const struct check_suite *suites, size_t n_suites, int argc, char **argv);

#endif
