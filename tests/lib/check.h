/* What all CUnit suites have in common: a check that says what it saw, and a runner that loses no result. */
#ifndef SKYLARK_TESTS_LIB_CHECK_H
#define SKYLARK_TESTS_LIB_CHECK_H

#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <stddef.h>

/* Fails the running test, and goes on, when the condition does not hold; the message is printf's. */
#define CHECK(condition, ...) \
    (check_holds = (condition), check_that(check_holds, __LINE__, __FILE__, #condition, __VA_ARGS__))
/* Of the CHECK under way: worked out before its words, which may show what the condition sets. */
extern _Thread_local bool check_holds;
/* The same, and leaves the test function. */
#define REQUIRE(condition, ...)                                                                              \
    do {                                                                                                     \
        if (!CHECK(condition, __VA_ARGS__))                                                                  \
            return;                                                                                          \
    } while (0)

bool check_that(bool holds, unsigned line, const char *file, const char *condition, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* By how much deadlines are longer than what they are written as. They are there for what hangs, not for what is slow: CHECK_PATIENCE
 * in the environment, else 3. */
double check_patience(void);

struct check_test {
    const char *name;
    CU_TestFunc run;
};

struct check_suite {
    const char *name;
    const struct check_test *tests; /* up to one without a name */
};

/* Registers the suites and runs them with check_run(); with words on the command line only the tests whose names contain one of
 * them. With --list as the first word it prints the names and runs nothing. Returns what main() returns. */
int check_main(const struct check_suite *suites, size_t n_suites, int argc, char **argv);

/* How long tests of that name may take before they count as hanging, times check_patience(); NULL: all that nothing is said of (200).
 * Said before they run, with several times what they take when nothing else runs. The name is not copied. */
void check_deadline(const char *name, double seconds);

/* Runs all that is in CUnit's registry, and cleans it up. The tests run one after the other in a child process, which this one
 * watches: a test that hangs is killed, one that crashes is noted, each counts as failed, and the next ones run in a new child.
 * Prints the seconds of each test and at the end "N passed, N failed", also when told to end by SIGTERM (then all that did not
 * run count as failed). Returns what main() returns. */
int check_run(void);

#endif
