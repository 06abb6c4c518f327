/* Waiting and signals: one arrival ends one wait, and what a process does not take ends none. */
#include <CUnit/CUnit.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/signals.h"
#include "tests/process/suites.h"

#define WAIT_MS 20
#define LOOK_MS 300
/* A loop that spins iterates many thousand times in LOOK_MS; one that waits, LOOK_MS / WAIT_MS times at most. */
#define ITERATIONS_MOST (LOOK_MS / WAIT_MS + 2)

/* How often a loop iterates in LOOK_MS that waits and takes nothing. */
static int iterations(void)
{
    int n = 0;
    for (int64_t end = clock_monotonic_ms() + LOOK_MS; clock_monotonic_ms() < end; n++)
        signals_wait(-1, WAIT_MS);
    return n;
}

/* Runs body in a process of its own, as a process has one descriptor for signals. Returns whether it returned true. */
static bool in_child(bool (*body)(void))
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(body() ? 0 : 1);
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void child_ends(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0); /* whoever reaps it, SIGCHLD has come */
}

static bool child_not_taken(void)
{
    if (signals_open(SIGNALS_STOP) < 0)
        return false;
    child_ends();
    kill(getpid(), SIGHUP);
    return iterations() <= ITERATIONS_MOST && !signals_stop() && !signals_child() && !signals_reload();
}

static bool declared_not_taken(void)
{
    if (signals_open(SIGNALS_STOP | SIGNALS_RELOAD | SIGNALS_CHILD) < 0)
        return false;
    child_ends();
    kill(getpid(), SIGHUP);
    bool waits = iterations() <= ITERATIONS_MOST;
    /* What came is still there for whoever asks, once. */
    return waits && signals_child() && !signals_child() && signals_reload() && !signals_reload();
}

static bool stop_not_heeded(void)
{
    if (signals_open(SIGNALS_STOP) < 0)
        return false;
    kill(getpid(), SIGTERM);
    return iterations() <= ITERATIONS_MOST && signals_stop() && signals_stop();
}

/* Without a limit a wait would never end if it missed the signal; the alarm then ends the process. */
static bool arrival_ends_wait(void)
{
    if (signals_open(SIGNALS_STOP | SIGNALS_RELOAD) < 0)
        return false;
    alarm(60);
    kill(getpid(), SIGHUP);
    if (signals_stop()) /* reads the descriptor: SIGHUP must end the next wait all the same */
        return false;
    signals_wait(-1, -1);
    if (!signals_reload())
        return false;
    kill(getpid(), SIGTERM);
    signals_wait(-1, -1);
    signals_wait(-1, -1); /* stopping: no wait is without limit */
    return signals_stop();
}

static bool readable_ends_wait(void)
{
    int ends[2];
    if (signals_open(SIGNALS_STOP) < 0 || pipe(ends) != 0 || write(ends[1], "x", 1) != 1)
        return false;
    alarm(60);
    return signals_wait(ends[0], -1);
}

static void test_not_taken(void)
{
    CU_ASSERT_TRUE(in_child(child_not_taken));
}

static void test_declared(void)
{
    CU_ASSERT_TRUE(in_child(declared_not_taken));
}

static void test_stop(void)
{
    CU_ASSERT_TRUE(in_child(stop_not_heeded));
}

static void test_arrival(void)
{
    CU_ASSERT_TRUE(in_child(arrival_ends_wait));
    CU_ASSERT_TRUE(in_child(readable_ends_wait));
}

void suite_signals(void)
{
    CU_pSuite suite = CU_add_suite("signals", NULL, NULL);
    CU_add_test(suite, "a signal that the process does not take ends no wait", test_not_taken);
    CU_add_test(suite, "a signal that is not asked for ends one wait, not all", test_declared);
    CU_add_test(suite, "waits after SIGTERM are short, but waits", test_stop);
    CU_add_test(suite, "each arrival ends a wait", test_arrival);
}
