/* Checks that say what they saw, and running suites. */
#include "tests/lib/check.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TESTS_MAX 1000

static struct {
    CU_pSuite suite;
    CU_pTest test;
    double seconds;
} tests[TESTS_MAX];
static int n_tests;

static struct {
    const char *name;
    double seconds;
} allowed[TESTS_MAX];
static int n_allowed;
static double allowed_else = 200;

/* What the child tells the watcher: a test begins, a test has ended with so many failed checks. */
struct notice {
    int test, failures;
    bool ended;
};

static volatile sig_atomic_t told_to_end;

_Thread_local bool check_holds;

bool check_that(bool holds, unsigned line, const char *file, const char *condition, const char *fmt, ...)
{
    char text[4096], seen[3584];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(seen, sizeof seen, fmt, ap);
    va_end(ap);
    snprintf(text, sizeof text, "%.400s: %s", condition, seen);
    CU_assertImplementation(holds, line, text, file, "", CU_FALSE);
    return holds;
}

double check_patience(void)
{
    const char *text = getenv("CHECK_PATIENCE");
    double patience = text != NULL ? atof(text) : 0;
    return patience > 0 ? patience : 3;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- the child --- */

static double begun;
static int failures;

static void test_begins(const CU_pTest test, const CU_pSuite suite)
{
    printf("  %s: %s ...", suite->pName, test->pName);
    fflush(stdout);
    begun = now();
    failures = 0;
}

static void test_ended(const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord record)
{
    (void)suite;
    for (CU_pFailureRecord r = record; r != NULL; r = r->pNext)
        failures++;
    if (failures == 0)
        printf(" %.2f s\n", now() - begun);
    else
        printf(" FAILED: %s, %.2f s\n", test->pName, now() - begun);
    int n = 0;
    for (CU_pFailureRecord r = record; r != NULL; r = r->pNext)
        printf("    %d. %s:%u  - %s\n", ++n, r->strFileName != NULL ? r->strFileName : "", r->uiLineNumber,
               r->strCondition != NULL ? r->strCondition : "");
}

static void suite_init_failed(const CU_pSuite suite)
{
    printf("  FAILED: %s did not initialise\n", suite->pName);
    failures++;
}

static void tell(int fd, struct notice n)
{
    if (write(fd, &n, sizeof n) != (ssize_t)sizeof n)
        _exit(3); /* nobody watches any more */
}

/* Where it crashed, for addr2line; and then as if nobody had caught it. A sanitizer says more, and is asked first. */
static void crashed(int signal_number)
{
    void *frames[30];
    int n = backtrace(frames, 30);
    backtrace_symbols_fd(frames, n, STDOUT_FILENO);
    raise(signal_number);
}

static void child_runs(int first, int fd)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGTERM, SIG_DFL);
    if (getenv("ASAN_OPTIONS") == NULL)
        sigaction(SIGSEGV, &(struct sigaction){.sa_handler = crashed, .sa_flags = (int)SA_RESETHAND}, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    CU_set_test_start_handler(test_begins);
    CU_set_test_complete_handler(test_ended);
    CU_set_suite_init_failure_handler(suite_init_failed);
    CU_set_error_action(CUEA_IGNORE);
    for (int i = first; i < n_tests; i++) {
        tell(fd, (struct notice){.test = i});
        failures = 0;
        if (CU_run_test(tests[i].suite, tests[i].test) != CUE_SUCCESS && failures == 0)
            failures = 1;
        fflush(stdout);
        tell(fd, (struct notice){.test = i, .failures = failures, .ended = true});
    }
    close(fd);
    CU_cleanup_registry();
    exit(0); /* and not _exit(): a sanitizer looks for leaks now */
}

/* --- the watcher --- */

static void note_term(int signal_number)
{
    (void)signal_number;
    told_to_end = 1;
}

struct watch {
    int passed, failed;
    int running;     /* the test that runs, -1 for none */
    double deadline; /* of that */
    int next;        /* the first that has not begun */
};

static void test_lost(struct watch *w, const char *why)
{
    printf(" FAILED: %s %s\n", tests[w->running].test->pName, why);
    w->failed++;
    w->running = -1;
}

/* Follows one child up to its end. */
static void watch_child(struct watch *w, pid_t pid, int fd)
{
    char why[100];
    for (;;) {
        double left = w->running >= 0 ? w->deadline - now() : 60;
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int ready = told_to_end ? 0 : poll(&p, 1, left > 0 ? (int)(left * 1000) + 1 : 0);
        if (told_to_end || (ready == 0 && w->running >= 0)) {
            kill(-pid, SIGKILL);
            kill(pid, SIGKILL);
            snprintf(why, sizeof why, told_to_end ? "was told to end" : "hangs: killed after %.0f s",
                     w->running >= 0 ? tests[w->running].seconds * check_patience() : 0);
            if (w->running >= 0)
                test_lost(w, why);
            waitpid(pid, NULL, 0);
            return;
        }
        if (ready <= 0)
            continue;
        struct notice n;
        ssize_t got = read(fd, &n, sizeof n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got != (ssize_t)sizeof n)
            break;
        if (!n.ended) {
            w->running = n.test;
            w->next = n.test + 1;
            w->deadline = now() + tests[n.test].seconds * check_patience();
        } else {
            w->running = -1;
            w->passed += n.failures == 0;
            w->failed += n.failures != 0;
        }
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    kill(-pid, SIGKILL); /* what a test has left behind would hold our standard output open */
    if (WIFSIGNALED(status))
        snprintf(why, sizeof why, "crashed: signal %d", WTERMSIG(status));
    else
        snprintf(why, sizeof why, "ended the process with status %d", WEXITSTATUS(status));
    if (w->running >= 0) {
        test_lost(w, why);
    } else if (status != 0) {
        printf("FAILED: after the tests the process %s\n", why);
        w->failed++;
    }
}

void check_deadline(const char *name, double seconds)
{
    if (name == NULL) {
        allowed_else = seconds;
    } else if (n_allowed < TESTS_MAX) {
        allowed[n_allowed].name = name;
        allowed[n_allowed++].seconds = seconds;
    }
}

static void tests_collect(void)
{
    n_tests = 0;
    for (CU_pSuite s = CU_get_registry()->pSuite; s != NULL; s = s->pNext) {
        for (CU_pTest t = s->pTest; t != NULL && n_tests < TESTS_MAX; t = t->pNext) {
            tests[n_tests].suite = s;
            tests[n_tests].test = t;
            tests[n_tests].seconds = allowed_else;
            for (int i = 0; i < n_allowed; i++)
                if (strcmp(allowed[i].name, t->pName) == 0)
                    tests[n_tests].seconds = allowed[i].seconds;
            n_tests++;
        }
    }
}

int check_run(void)
{
    struct watch w = {.running = -1};
    setvbuf(stdout, NULL, _IOLBF, 0);
    tests_collect();
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = note_term}, NULL);
    while (w.next < n_tests && !told_to_end) {
        int fds[2], first = w.next;
        if (pipe2(fds, O_CLOEXEC) != 0) /* what a test starts and leaves must not hold it */
            abort();
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
            close(fds[0]);
            child_runs(first, fds[1]);
        }
        close(fds[1]);
        if (pid < 0)
            abort();
        setpgid(pid, pid);
        watch_child(&w, pid, fds[0]);
        close(fds[0]);
        if (w.next == first)
            w.next++; /* it did not even begin; never twice */
    }
    if (w.next < n_tests) {
        printf("FAILED: %d tests did not run\n", n_tests - w.next);
        w.failed += n_tests - w.next;
    }
    CU_cleanup_registry();
    printf("%d passed, %d failed\n", w.passed, w.failed);
    return w.failed > 0 || w.passed == 0 ? 1 : 0;
}

/* --- registering --- */

static bool wanted(const char *name, int argc, char **argv)
{
    bool any = argc < 2;
    for (int i = 1; i < argc; i++)
        any = any || strstr(name, argv[i]) != NULL;
    return any;
}

int check_main(const struct check_suite *suites, size_t n_suites, int argc, char **argv)
{
    bool list = argc > 1 && strcmp(argv[1], "--list") == 0;
    argc -= list;
    argv += list;
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    for (size_t i = 0; i < n_suites; i++) {
        CU_pSuite suite = CU_add_suite(suites[i].name, NULL, NULL);
        if (suite == NULL)
            return 2;
        for (const struct check_test *t = suites[i].tests; t->name != NULL; t++) {
            if (!wanted(t->name, argc, argv))
                continue;
            if (CU_add_test(suite, t->name, t->run) == NULL)
                return 2;
            if (list)
                printf("%s\n", t->name);
        }
    }
    if (!list)
        return check_run();
    CU_cleanup_registry();
    return 0;
}
