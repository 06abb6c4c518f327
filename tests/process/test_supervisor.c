/* The master, for real, with small roles: endings, reloads, counts. */
#include <CUnit/CUnit.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/signals.h"
#include "common/supervisor.h"
#include "tests/lib/check.h"
#include "tests/process/suites.h"

/* A master that does not do what is waited for is given up after this. */
#define DEADLINE_MS 120000
#define MANY 1030

/* What the test, the master and its children share. */
struct shared {
    atomic_int started;      /* children, ever */
    atomic_int live;         /* children that run now */
    atomic_int live_most;
    atomic_int told;         /* children that have heard that they are to end */
    atomic_bool may_end;     /* until then they do not */
    atomic_int of_generation[4]; /* live ones, by the configuration they were started with */
    atomic_int reloads;
    atomic_int first_count;  /* what the next reload makes of it; 0: as it is */
    atomic_llong drain_ms;   /* the same */
    atomic_bool refuse;      /* the next configuration has faults */
};

struct master {
    struct shared *shared;
    struct supervisor_role roles[2];
    int64_t drain_ms;
    pid_t pid;
};

static void went_live(struct shared *s, int generation, int by)
{
    int live = atomic_fetch_add(&s->live, by) + by, most = atomic_load(&s->live_most);
    atomic_fetch_add(&s->of_generation[generation], by);
    while (live > most && !atomic_compare_exchange_weak(&s->live_most, &most, live))
        continue;
}

static int run_until_told(void *context, int index)
{
    struct shared *s = ((struct master *)context)->shared;
    int generation = atomic_load(&s->reloads);
    (void)index;
    atomic_fetch_add(&s->started, 1);
    went_live(s, generation, 1);
    while (!signals_stop())
        signals_wait(-1, -1);
    atomic_fetch_add(&s->told, 1);
    while (!atomic_load(&s->may_end))
        signals_wait(-1, 10);
    went_live(s, generation, -1);
    return 0;
}

/* So many that a sanitizer's look for leaks at the end of each would take minutes: they end without. */
static int run_and_leave(void *context, int index)
{
    _exit(run_until_told(context, index));
}

static int run_and_fail(void *context, int index)
{
    (void)index;
    atomic_fetch_add(&((struct master *)context)->shared->started, 1);
    return 1;
}

static int reload(void *context)
{
    struct master *m = context;
    struct shared *s = m->shared;
    if (atomic_exchange(&s->refuse, false))
        return -1;
    if (atomic_load(&s->first_count) > 0)
        m->roles[0].count = atomic_load(&s->first_count);
    if (atomic_load(&s->drain_ms) > 0)
        m->drain_ms = atomic_load(&s->drain_ms);
    atomic_fetch_add(&s->reloads, 1);
    return 0;
}

/* Starts a master of two roles in a process of its own. */
static bool master_start(struct master *m, int (*run)(void *, int), int first, int second)
{
    *m = (struct master){.drain_ms = 10 * DEADLINE_MS};
    m->shared = mmap(NULL, sizeof *m->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!CHECK(m->shared != MAP_FAILED, "memory"))
        return false;
    atomic_store(&m->shared->may_end, true);
    m->roles[0] = (struct supervisor_role){.name = "first", .count = first, .run = run};
    m->roles[1] = (struct supervisor_role){.name = "second", .count = second, .run = run};
    fflush(stdout); /* children exit as programs do, and would print what waits here once more */
    m->pid = fork();
    if (m->pid == 0) {
        log_open("test-supervisor", LOG_LEVEL__MAX); /* its children fail by intent */
        struct supervisor_options options = {.roles = m->roles, .n_roles = 2, .context = m, .drain_ms = &m->drain_ms, .reload = reload};
        _exit(supervisor_run(&options));
    }
    return CHECK(m->pid > 0, "fork");
}

/* Waits until the condition holds. */
#define WAIT_UNTIL(condition)                                                                                                  \
    do {                                                                                                                       \
        int64_t end_ = clock_monotonic_ms() + DEADLINE_MS;                                                                     \
        while (!(condition) && clock_monotonic_ms() < end_)                                                                    \
            usleep(2000);                                                                                                      \
        CHECK((condition), "not within %d ms", DEADLINE_MS);                                                                   \
    } while (0)

/* Tells the master to end. Returns its exit status, -1 when it had to be killed. */
static int master_stop(struct master *m)
{
    int status = -1;
    pid_t ended = 0;
    kill(m->pid, SIGTERM);
    for (int64_t end = clock_monotonic_ms() + DEADLINE_MS / 4; ended == 0 && clock_monotonic_ms() < end; usleep(2000))
        ended = waitpid(m->pid, &status, WNOHANG);
    if (ended == 0) {
        kill(m->pid, SIGKILL);
        waitpid(m->pid, &status, 0);
        status = -1;
    }
    munmap(m->shared, sizeof *m->shared);
    return ended > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_end(void)
{
    struct master m;
    if (!master_start(&m, run_until_told, 3, 1))
        return;
    WAIT_UNTIL(atomic_load(&m.shared->live) == 4);
    int status = master_stop(&m);
    CHECK(status == 0, "ended with %d", status);
}

/* Five deaths in a row: the next start is 800 ms away or more. */
static void test_end_in_back_off(void)
{
    struct master m;
    if (!master_start(&m, run_and_fail, 1, 0))
        return;
    WAIT_UNTIL(atomic_load(&m.shared->started) >= 5);
    int status = master_stop(&m);
    CHECK(status == 0, "ended with %d, while its child waited to be started", status);
}

static void test_reload_one_for_one(void)
{
    struct master m;
    if (!master_start(&m, run_until_told, 4, 1))
        return;
    struct shared *s = m.shared;
    WAIT_UNTIL(atomic_load(&s->live) == 5);
    atomic_store(&s->may_end, false);
    kill(m.pid, SIGHUP);
    /* Half of the first, and the only one of the second; the successors wait for them, the others go on. */
    WAIT_UNTIL(atomic_load(&s->told) == 3);
    for (int i = 0; i < 100; i++) {
        if (!CHECK(atomic_load(&s->told) == 3 && atomic_load(&s->started) == 5, "%d are told to end, %d were started", atomic_load(&s->told),
                   atomic_load(&s->started)))
            break;
        usleep(2000);
    }
    atomic_store(&s->may_end, true);
    WAIT_UNTIL(atomic_load(&s->of_generation[1]) == 5 && atomic_load(&s->live) == 5);
    CHECK(atomic_load(&s->live_most) == 5, "%d children at once", atomic_load(&s->live_most));
    CHECK(atomic_load(&s->started) == 10 && atomic_load(&s->told) == 5, "%d started", atomic_load(&s->started));
    int status = master_stop(&m);
    CHECK(status == 0, "ended with %d", status);
}

/* A reload into a reload, and one whose configuration is refused. */
static void test_reload_again(void)
{
    struct master m;
    if (!master_start(&m, run_until_told, 4, 1))
        return;
    struct shared *s = m.shared;
    WAIT_UNTIL(atomic_load(&s->live) == 5);
    atomic_store(&s->may_end, false);
    kill(m.pid, SIGHUP);
    WAIT_UNTIL(atomic_load(&s->told) == 3);
    kill(m.pid, SIGHUP);
    WAIT_UNTIL(atomic_load(&s->reloads) == 2);
    atomic_store(&s->may_end, true);
    WAIT_UNTIL(atomic_load(&s->of_generation[2]) == 5 && atomic_load(&s->live) == 5);
    CHECK(atomic_load(&s->live_most) == 5, "%d children at once", atomic_load(&s->live_most));
    int started = atomic_load(&s->started);
    atomic_store(&s->refuse, true);
    kill(m.pid, SIGHUP);
    WAIT_UNTIL(!atomic_load(&s->refuse));
    int status = master_stop(&m);
    CHECK(status == 0, "ended with %d", status);
    CHECK(started == 10, "%d started", started);
}

static void test_reload_counts(void)
{
    struct master m;
    if (!master_start(&m, run_until_told, 2, 1))
        return;
    struct shared *s = m.shared;
    WAIT_UNTIL(atomic_load(&s->live) == 3);
    atomic_store(&s->first_count, 6);
    kill(m.pid, SIGHUP);
    WAIT_UNTIL(atomic_load(&s->of_generation[1]) == 7 && atomic_load(&s->live) == 7);
    CHECK(atomic_load(&s->live_most) == 7, "%d children at once", atomic_load(&s->live_most));
    atomic_store(&s->first_count, 1);
    kill(m.pid, SIGHUP);
    WAIT_UNTIL(atomic_load(&s->of_generation[2]) == 2 && atomic_load(&s->live) == 2);
    CHECK(atomic_load(&s->live_most) == 7, "%d children at once", atomic_load(&s->live_most));
    int status = master_stop(&m);
    CHECK(status == 0, "ended with %d", status);
}

/* The old children never end by themselves: with the deadline that the master started with, the new ones would not come. */
static void test_reload_drain(void)
{
    struct master m;
    if (!master_start(&m, run_until_told, 2, 1))
        return;
    struct shared *s = m.shared;
    WAIT_UNTIL(atomic_load(&s->live) == 3);
    atomic_store(&s->may_end, false);
    atomic_store(&s->drain_ms, 100);
    kill(m.pid, SIGHUP);
    WAIT_UNTIL(atomic_load(&s->of_generation[1]) == 3);
    atomic_store(&s->may_end, true);
    int status = master_stop(&m);
    CHECK(status == 0, "ended with %d", status);
}

static void test_many(void)
{
    struct master m;
    if (!master_start(&m, run_and_leave, MANY, 1))
        return;
    WAIT_UNTIL(atomic_load(&m.shared->live) == MANY + 1);
    int status = master_stop(&m);
    CHECK(status == 0, "ended with %d", status);
}

void suite_supervisor(void)
{
    CU_pSuite suite = CU_add_suite("supervisor", NULL, NULL);
    CU_add_test(suite, "SIGTERM ends children and master", test_end);
    CU_add_test(suite, "SIGTERM ends a master whose children all wait in back-off", test_end_in_back_off);
    CU_add_test(suite, "a reload replaces children one for one", test_reload_one_for_one);
    CU_add_test(suite, "a reload during a reload, and one that is refused", test_reload_again);
    CU_add_test(suite, "a reload with other counts", test_reload_counts);
    CU_add_test(suite, "a reload changes drain_deadline", test_reload_drain);
    CU_add_test(suite, "more than 1,024 children", test_many);
}
