/* plan: what a deployer decides, rule by rule. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "deployer/plan.h"
#include "tests/unit/suites.h"

#define NOW INT64_C(1700000000000)
#define MOST 12

static const struct plan_limits limits = {
    .stop_grace = 10000, .update_settle = 5000, .healthy_after = 60000,
    .back_off_first = 1000, .back_off_most = 300000, .dead_keep = 3600000,
    .ready_deadline = 60000, .route_drain = 30000,
};

/* How the fronts see an instance: the rows name what differs from ready since it started, with no front before it. */
enum seen {
    UNREADY = 1 << 0,
    FRONTED = 1 << 1, /* its requests come through the fronts */
    SERVED = 1 << 2,  /* which know what to do with it */
    BUSY = 1 << 3,    /* and hold connections to it */
    NOTED = 1 << 4,   /* that they have taken its route away, at once when they were asked */
};

/* An instance as the rows of the tables write it: ages in milliseconds before NOW, -1 for never. */
struct given {
    int slot;
    int64_t generation;
    enum plan_state state;
    int restarts;
    int64_t started_ago, stop_ago, finished_ago;
    bool log_complete, vanished;
    unsigned seen;
    int64_t unroute_ago; /* 0: never */
    bool runs_again;
    int removal_failures;
    int64_t removal_in;
};

struct row {
    const char *what;
    int wanted;
    int64_t generation;
    bool deleted, stop_first, no_image;
    const char *front_fault, *endpoint_fault;
    struct given given[MOST];
    const char *actions; /* such as "new 0/1 term 2": step, slot, for new its restarts */
    int64_t due_in;      /* 0: none */
    enum plan_condition condition;
    const char *says; /* part of the message; NULL: it is empty */
    bool needs_image, empty;
};

#define NONE -1
#define RUNS(slot, generation, age) {slot, generation, PLAN_RUNNING, 0, age, NONE, NONE, false, false, 0, 0}
#define SEEN(slot, generation, age, ...) {slot, generation, PLAN_RUNNING, 0, age, NONE, NONE, false, false, __VA_ARGS__, 0}
#define DRAINS(slot, generation, unrouted, ...) \
    {slot, generation, PLAN_RUNNING, 0, 99999, NONE, NONE, false, false, FRONTED | __VA_ARGS__, unrouted}

static const struct row rows[] = {
    {"nothing there: all at once", 3, 1, .actions = "new 0/0 new 1/0 new 2/0", .empty = true},
    {"nothing wanted, nothing there", 0, 1, .actions = "", .condition = PLAN_SETTLED, .empty = true},
    {"no image yet", 1, 1, .no_image = true, .actions = "", .needs_image = true, .empty = true},
    {"all run", 2, 1, .given = {RUNS(0, 1, 10), RUNS(1, 1, 10)}, .actions = "", .condition = PLAN_SETTLED},
    {"one is missing", 2, 1, .given = {RUNS(1, 1, 10)}, .actions = "new 0/0"},
    {"intended only: made now", 1, 1, .given = {{0, 1, PLAN_INTENDED, 0, NONE, NONE, NONE, false, false}}, .actions = "ensure 0"},
    {"created only: started now", 1, 1, .given = {{0, 1, PLAN_CREATED, 0, NONE, NONE, NONE, false, false}}, .actions = "ensure 0"},
    {"scaled down", 1, 1, .given = {RUNS(0, 1, 10), RUNS(1, 1, 10), {2, 1, PLAN_CREATED, 0, NONE, NONE, NONE, false, false}},
     .actions = "term 1 remove 2"},
    {"an intention that nobody wants any more", 0, 1, .given = {{0, 1, PLAN_INTENDED, 0, NONE, NONE, NONE, false, false}},
     .actions = "forget 0"},
    {"told to stop: wait out the grace", 0, 1, .given = {{0, 1, PLAN_RUNNING, 0, 99, 4000, NONE, false, false}}, .actions = "",
     .due_in = 6000},
    {"the grace is over", 0, 1, .given = {{0, 1, PLAN_RUNNING, 0, 99, 10000, NONE, false, false}}, .actions = "kill 0"},
    {"ended, log not stored: kept", 0, 1, .given = {{0, 1, PLAN_EXITED, 0, 99, 50, 20, false, false}}, .actions = "",
     .due_in = 3600000 - 20, .condition = PLAN_SETTLED},
    {"ended, log stored: removed", 0, 1, .given = {{0, 1, PLAN_EXITED, 0, 99, 50, 20, true, false}}, .actions = "remove 0",
     .condition = PLAN_SETTLED},
    {"ended, nobody stored the log for too long", 0, 1, .given = {{0, 1, PLAN_EXITED, 0, 9999999, 3600001, 3600000, false, false}},
     .actions = "remove 0", .condition = PLAN_SETTLED},
    {"ended without having run: there is no log", 0, 1, .given = {{0, 1, PLAN_EXITED, 0, NONE, 50, 20, false, false}},
     .actions = "remove 0", .condition = PLAN_SETTLED},
    {"deleted: no log is waited for", 0, 1, .deleted = true, .given = {{0, 1, PLAN_EXITED, 0, 99, 50, 20, false, false}},
     .actions = "remove 0", .condition = PLAN_SETTLED},
    {"deleted and running", 0, 1, .deleted = true, .given = {RUNS(0, 1, 9)}, .actions = "term 0"},
    {"deleted, only history left", 0, 1, .deleted = true, .given = {{0, 1, PLAN_GONE, 0, 99, 50, 20, true, false}}, .actions = "",
     .condition = PLAN_SETTLED, .empty = true},

    {"ended, started by hand, log not stored: ended again", 1, 1,
     .given = {{0, 1, PLAN_EXITED, 0, 9000, NONE, 5000, false, false, .runs_again = true}, RUNS(0, 1, 4000)}, .actions = "kill 0"},
    {"ended, started by hand, log stored: removed", 1, 1,
     .given = {{0, 1, PLAN_EXITED, 0, 9000, NONE, 5000, true, false, .runs_again = true}, RUNS(0, 1, 4000)}, .actions = "remove 0",
     .condition = PLAN_SETTLED},

    {"can't be removed: later again, and the rest goes on", 1, 1,
     .given = {{0, 1, PLAN_EXITED, 0, 9000, NONE, 5000, true, false, .removal_failures = 2, .removal_in = 700}}, .actions = "new 0/1",
     .due_in = 700, .says = "The container of instance web.0 can't be removed: no way."},
    {"can't be removed: it keeps nothing from being settled", 1, 1,
     .given = {{0, 1, PLAN_EXITED, 0, 9000, NONE, 5000, true, false, .removal_failures = 2, .removal_in = 700}, RUNS(0, 1, 4000)},
     .actions = "", .due_in = 700, .condition = PLAN_SETTLED, .says = "can't be removed: no way."},
    {"could not be removed: once more", 1, 1,
     .given = {{0, 1, PLAN_EXITED, 0, 9000, NONE, 5000, true, false, .removal_failures = 2, .removal_in = 0}, RUNS(0, 1, 4000)},
     .actions = "remove 0", .condition = PLAN_SETTLED, .says = "can't be removed: no way."},
    {"can't be killed: later again", 0, 1,
     .given = {{0, 1, PLAN_RUNNING, 0, 99999, 20000, NONE, false, false, .removal_failures = 1, .removal_in = 300}}, .actions = "",
     .due_in = 300, .says = "can't be removed: no way."},

    {"died just now: back-off of 1 s", 1, 1, .given = {{0, 1, PLAN_EXITED, 0, 5000, NONE, 400, false, false}}, .actions = "",
     .due_in = 600, .says = "Instance web.0 ended with exit code 1; next try at"},
    {"died 1 s ago: replaced", 1, 1, .given = {{0, 1, PLAN_EXITED, 0, 5000, NONE, 1000, false, false}}, .actions = "new 0/1",
     .due_in = 3599000, .says = "Instance web.0"},
    {"third time: 4 s, and it fails", 1, 1, .given = {{0, 1, PLAN_GONE, 2, 5000, NONE, 3500, false, false}}, .actions = "",
     .due_in = 500, .condition = PLAN_FAILING, .says = "(3 times in a row)", .empty = true},
    {"ran long: forgiven", 1, 1, .given = {{0, 1, PLAN_GONE, 7, 61500, NONE, 1000, false, false}}, .actions = "new 0/1",
     .says = "web.0", .empty = true},
    {"the latest end counts", 1, 1,
     .given = {{0, 1, PLAN_GONE, 0, 90000, NONE, 80000, false, false}, {0, 1, PLAN_EXITED, 1, 5000, NONE, 100, false, false}},
     .actions = "", .due_in = 1900, .condition = PLAN_FAILING, .says = "(2 times in a row)"},
    {"stopped on purpose is no failure", 1, 1, .given = {{0, 1, PLAN_GONE, 0, 90000, 500, 400, false, false}}, .actions = "new 0/0",
     .empty = true},
    {"taken away by hand is none either", 1, 1, .given = {{0, 1, PLAN_GONE, 0, 90000, NONE, 0, false, true}},
     .actions = "new 0/0", .empty = true},
    {"taken away by hand forgets no failures", 1, 1, .given = {{0, 1, PLAN_GONE, 3, 9000, NONE, 0, false, true}},
     .actions = "new 0/3", .empty = true},
    {"another generation's failures do not count", 1, 2, .given = {{0, 1, PLAN_EXITED, 5, 500, NONE, 100, true, false}},
     .actions = "remove 0 new 0/0"},
    {"runs again, not proved yet", 1, 1,
     .given = {{0, 1, PLAN_RUNNING, 3, 2000, NONE, NONE, false, false}, {0, 1, PLAN_GONE, 2, 9000, NONE, 6000, false, false}},
     .actions = "", .due_in = 3000, .condition = PLAN_FAILING, .says = "(3 times in a row)"},
    {"runs again, proved", 1, 1, .given = {{0, 1, PLAN_RUNNING, 3, 5000, NONE, NONE, false, false}}, .actions = "",
     .condition = PLAN_SETTLED},

    {"update: one slot at a time", 3, 2, .given = {RUNS(0, 1, 99999), RUNS(1, 1, 99999), RUNS(2, 1, 99999)},
     .actions = "new 0/0"},
    {"update: the new one has to prove itself", 2, 2,
     .given = {RUNS(0, 1, 99999), RUNS(0, 2, 2000), RUNS(1, 1, 99999)}, .actions = "", .due_in = 3000},
    {"update: proved, the old one goes", 2, 2, .given = {RUNS(0, 1, 99999), RUNS(0, 2, 5000), RUNS(1, 1, 99999)},
     .actions = "term 0"},
    {"update: the next slot waits until the old one is gone", 2, 2,
     .given = {{0, 1, PLAN_RUNNING, 0, 99999, 100, NONE, false, false}, RUNS(0, 2, 5100), RUNS(1, 1, 99999)},
     .actions = "", .due_in = 9900},
    {"update: gone, the next slot begins", 2, 2, .given = {RUNS(0, 2, 5100), RUNS(1, 1, 99999)}, .actions = "new 1/0"},
    {"update: no image, the old ones stay", 2, 2, .no_image = true, .given = {RUNS(0, 1, 99999), RUNS(1, 1, 99999)},
     .actions = "", .needs_image = true},
    {"update: the new one fails, the old ones stay", 2, 2,
     .given = {RUNS(0, 1, 99999), RUNS(1, 1, 99999), {0, 2, PLAN_GONE, 1, 3000, NONE, 1500, true, false}}, .actions = "",
     .due_in = 500, .condition = PLAN_FAILING, .says = "The update is failing; 2 instances of the previous version keep running."},
    {"update: and is tried again", 2, 2,
     .given = {RUNS(0, 1, 99999), RUNS(1, 1, 99999), {0, 2, PLAN_GONE, 1, 3000, NONE, 2000, true, false}}, .actions = "new 0/2",
     .condition = PLAN_FAILING, .says = "The update is failing"},
    {"update and scaled up: new slots need not wait", 3, 2, .given = {RUNS(0, 1, 99999)}, .actions = "new 0/0 new 1/0 new 2/0"},
    {"update and scaled down", 1, 2, .given = {RUNS(0, 1, 99999), RUNS(1, 1, 99999)}, .actions = "term 1 new 0/0"},
    {"stop first: the old one goes before", 2, 2, .stop_first = true, .given = {RUNS(0, 1, 99999), RUNS(1, 1, 99999)},
     .actions = "term 0"},
    {"stop first: nothing while it leaves", 2, 2, .stop_first = true,
     .given = {{0, 1, PLAN_RUNNING, 0, 99999, 100, NONE, false, false}, RUNS(1, 1, 99999)}, .actions = "", .due_in = 9900},
    {"stop first: then the new one, and the other slot waits", 2, 2, .stop_first = true,
     .given = {{0, 1, PLAN_GONE, 0, 99999, 500, 400, true, false}, RUNS(1, 1, 99999)}, .actions = "new 0/0"},
    {"scaled down and up again: the place is still taken", 1, 1, .given = {{0, 1, PLAN_RUNNING, 0, 9999, 1000, NONE, false, false}},
     .actions = "", .due_in = 9000},

    {"runs, does not answer yet: asked, and soon again", 1, 1, .given = {SEEN(0, 1, 10, UNREADY)}, .actions = "probe 0",
     .due_in = 100},
    {"does not answer for long: asked less often", 1, 1, .given = {SEEN(0, 1, 4000, UNREADY)}, .actions = "probe 0",
     .due_in = 500},
    {"does not answer for too long: it fails, and is asked on", 1, 1, .given = {SEEN(0, 1, 60001, UNREADY)},
     .actions = "probe 0", .due_in = 1000, .condition = PLAN_FAILING},
    {"answers, no front has heard of it", 1, 1, .given = {SEEN(0, 1, 10, FRONTED)}, .actions = "", .due_in = 2000},
    {"answers for long, no front has heard of it", 1, 1, .given = {SEEN(0, 1, 60001, FRONTED)}, .actions = "", .due_in = 2000,
     .condition = PLAN_FAILING, .says = "Instance web.0 answers, but gets no requests yet, since no front has taken it up."},
    {"answers, the fronts refuse the routes", 1, 1, .front_fault = "host h: nginx: no", .given = {SEEN(0, 1, 10, FRONTED)},
     .actions = "", .due_in = 2000, .condition = PLAN_FAILING, .says = "gets no requests yet: host h: nginx: no."},
    {"answers and is served", 1, 1, .given = {SEEN(0, 1, 10, FRONTED | SERVED)}, .actions = "", .condition = PLAN_SETTLED},
    {"a fault of the fronts is no trouble of what is served", 1, 1, .front_fault = "no",
     .given = {SEEN(0, 1, 10, FRONTED | SERVED)}, .actions = "", .condition = PLAN_SETTLED},
    {"one of its endpoints is not served", 1, 1, .endpoint_fault = "On the front h, port 22 is not served: x.",
     .given = {SEEN(0, 1, 10, FRONTED | SERVED)}, .actions = "", .condition = PLAN_FAILING,
     .says = "On the front h, port 22 is not served: x."},
    {"nobody wants it served", 0, 1, .endpoint_fault = "x", .actions = "", .condition = PLAN_SETTLED, .empty = true},
    {"scaled down: first no more requests", 1, 1,
     .given = {SEEN(0, 1, 10, FRONTED | SERVED), SEEN(1, 1, 10, FRONTED | SERVED)}, .actions = "unroute 1"},
    {"scaled down, it never got requests: told to end at once", 0, 1, .given = {SEEN(0, 1, 10, FRONTED | UNREADY)},
     .actions = "term 0"},
    {"to be unrouted: the fronts have not heard of it", 1, 1, .given = {RUNS(0, 1, 99999), DRAINS(1, 1, 5000, 0)}, .actions = "",
     .due_in = 2000},
    {"to be unrouted, for long: it gets requests still, and goes on", 1, 1,
     .given = {RUNS(0, 1, 99999), DRAINS(1, 1, 99999, BUSY)}, .front_fault = "no skylark-router has reported", .actions = "",
     .due_in = 2000, .condition = PLAN_FAILING,
     .says = "Instance web.1 is to end, but may still get requests: no skylark-router has reported."},
    {"to be unrouted, none is to be left: not longer than connections would have", 0, 1, .given = {DRAINS(0, 1, 29999, BUSY)},
     .actions = "", .due_in = 2000},
    {"to be unrouted, none is to be left, for long", 0, 1, .given = {DRAINS(0, 1, 30000, BUSY)}, .actions = "term 0"},
    {"unrouted just now: noted", 0, 1, .given = {DRAINS(0, 1, 5000, SERVED | BUSY)}, .actions = "unrouted 0"},
    {"unrouted: connections are left", 0, 1, .given = {DRAINS(0, 1, 5000, SERVED | BUSY | NOTED)}, .actions = "", .due_in = 25000},
    {"unrouted and drained, but just now", 0, 1, .given = {DRAINS(0, 1, 100, SERVED | NOTED)}, .actions = "", .due_in = 400},
    {"unrouted and drained", 0, 1, .given = {DRAINS(0, 1, 500, SERVED | NOTED)}, .actions = "term 0"},
    {"unrouted, still busy, for too long", 0, 1, .given = {DRAINS(0, 1, 30000, SERVED | BUSY | NOTED)}, .actions = "term 0"},
    {"scaled up again while one drains: its place is taken", 1, 1, .given = {DRAINS(0, 1, 5000, SERVED | BUSY | NOTED)}, .actions = "",
     .due_in = 25000},
    {"update: the old one stays until the new one answers", 1, 2,
     .given = {SEEN(0, 1, 99999, FRONTED | SERVED), SEEN(0, 2, 6000, FRONTED | UNREADY)}, .actions = "probe 0", .due_in = 750},
    {"update: and until it is served", 1, 2,
     .given = {SEEN(0, 1, 99999, FRONTED | SERVED), SEEN(0, 2, 6000, FRONTED)}, .actions = "", .due_in = 2000},
    {"update: then the old one gets no more requests", 1, 2,
     .given = {SEEN(0, 1, 99999, FRONTED | SERVED), SEEN(0, 2, 6000, FRONTED | SERVED)}, .actions = "unroute 0"},
    {"update: the new one never answers, the old ones stay", 2, 2,
     .given = {SEEN(0, 1, 99999, FRONTED | SERVED), SEEN(0, 2, 60001, FRONTED | UNREADY), SEEN(1, 1, 99999, FRONTED | SERVED)},
     .actions = "probe 0", .due_in = 1000, .condition = PLAN_FAILING,
     .says = "The update is failing; 2 instances of the previous version keep running."},
    {"stop first: the old one is drained before its successor is made", 1, 2, .stop_first = true,
     .given = {DRAINS(0, 1, 5000, SERVED | BUSY | NOTED)}, .actions = "", .due_in = 25000},
    {"update: an old one that does not answer yet is asked on, and gets requests while it stays", 1, 2, .no_image = true,
     .given = {SEEN(0, 1, 4000, UNREADY)}, .actions = "probe 0", .due_in = 500, .needs_image = true},
};

static void instance_of(const struct given *g, int n, struct plan_instance *i)
{
    *i = (struct plan_instance){.slot = g->slot, .generation = g->generation, .state = g->state, .restarts = g->restarts,
                                .log_complete = g->log_complete, .vanished = g->vanished,
                                .runs_again = g->runs_again, .removal_failures = g->removal_failures,
                                .removal_due_ms = g->removal_failures > 0 ? NOW + g->removal_in : 0, .removal_fault = "no way",
                                .fronted = (g->seen & FRONTED) != 0, .route_served = (g->seen & SERVED) != 0,
                                .drained = (g->seen & BUSY) == 0};
    snprintf(i->id, sizeof i->id, "00000000-0000-1000-8000-%012d", n);
    if (g->state != PLAN_INTENDED)
        snprintf(i->container_id, sizeof i->container_id, "container-%d", n);
    i->started_ms = g->started_ago >= 0 ? NOW - g->started_ago : 0;
    i->ready_ms = (g->seen & UNREADY) == 0 ? i->started_ms : 0;
    i->unroute_ms = g->unroute_ago > 0 ? NOW - g->unroute_ago : 0;
    i->unrouted_ms = (g->seen & NOTED) != 0 ? i->unroute_ms : 0;
    i->stop_requested_ms = g->stop_ago >= 0 ? NOW - g->stop_ago : 0;
    i->finished_ms = g->finished_ago >= 0 ? NOW - g->finished_ago : 0;
    snprintf(i->reason, sizeof i->reason, "ended with exit code 1");
}

static void actions_text(const struct plan *plan, struct buf *out)
{
    static const char *const names[PLAN_STEP__MAX] = {
        [PLAN_NEW] = "new", [PLAN_ENSURE] = "ensure", [PLAN_PROBE] = "probe", [PLAN_UNROUTE] = "unroute", [PLAN_UNROUTED] = "unrouted",
        [PLAN_TERM] = "term", [PLAN_KILL] = "kill", [PLAN_REMOVE] = "remove", [PLAN_FORGET] = "forget",
    };
    for (size_t i = 0; i < plan->n_actions; i++) {
        const struct plan_action *a = &plan->actions[i];
        buf_addf(out, "%s%s %d", i > 0 ? " " : "", names[a->step], a->slot);
        if (a->step == PLAN_NEW)
            buf_addf(out, "/%d", a->restarts);
    }
}

static void check_row(const struct row *row)
{
    struct plan_instance instances[MOST];
    size_t n = 0;
    while (n < MOST && row->given[n].generation != 0) {
        instance_of(&row->given[n], (int)n, &instances[n]);
        n++;
    }
    struct plan_input input = {
        .service_name = "web", .wanted = row->wanted, .generation = row->generation, .deleted = row->deleted,
        .stop_first = row->stop_first, .image_ready = !row->no_image,
        .front_fault = row->front_fault != NULL ? row->front_fault : "",
        .endpoint_fault = row->endpoint_fault != NULL ? row->endpoint_fault : "", .now_ms = NOW, .limits = limits,
        .instances = instances, .n_instances = n,
    };
    struct plan plan = {0};
    struct buf actions = {0};
    plan_make(&input, &plan);
    actions_text(&plan, &actions);
    int64_t due_in = plan.due_ms > 0 ? plan.due_ms - NOW : 0;
    bool says = row->says != NULL ? strstr(buf_text(&plan.message), row->says) != NULL : plan.message.len == 0;
    bool right = strcmp(buf_text(&actions), row->actions) == 0 && due_in == row->due_in && plan.condition == row->condition &&
                 says && plan.needs_image == row->needs_image && plan.empty == row->empty;
    CU_ASSERT_TRUE(right);
    if (!right)
        printf("\n  %s: \"%s\", due in %lld, condition %d, needs image %d, empty %d, says \"%s\"", row->what, buf_text(&actions),
               (long long)due_in, plan.condition, plan.needs_image, plan.empty, buf_text(&plan.message));
    buf_free(&actions);
    plan_free(&plan);
}

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_row(&rows[i]);
}

static void test_back_off(void)
{
    static const int64_t expected[] = {1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000, 256000, 300000, 300000};
    for (int i = 0; i < 11; i++)
        CU_ASSERT_EQUAL(plan_back_off(&limits, i + 1), expected[i]);
    CU_ASSERT_EQUAL(plan_back_off(&limits, 2000000000), 300000);
}

/* --- plans carried out on a model of the engine, the fronts and the clock --- */

struct model {
    struct plan_instance instances[64];
    size_t n;
    int64_t now;
};

/* What the engine and the router would do. A new instance takes two seconds until it answers. */
static void model_act(struct model *m, const struct plan_action *a)
{
    struct plan_instance *i = (struct plan_instance *)a->instance;
    switch (a->step) {
    case PLAN_NEW:
        CU_ASSERT_TRUE_FATAL(m->n < 64);
        m->instances[m->n++] = (struct plan_instance){.slot = a->slot, .generation = 2, .state = PLAN_RUNNING, .fronted = true,
                                                      .started_ms = m->now, .container_id = "c"};
        break;
    case PLAN_PROBE:
        i->ready_ms = m->now - i->started_ms >= 2000 ? m->now : 0;
        i->route_served = false;
        break;
    case PLAN_UNROUTE:
        i->unroute_ms = m->now;
        i->route_served = false;
        break;
    case PLAN_UNROUTED:
        i->unrouted_ms = m->now;
        break;
    case PLAN_TERM:
        i->stop_requested_ms = m->now;
        break;
    default:
        i->state = PLAN_GONE;
        i->finished_ms = m->now;
    }
}

/* A second later: the fronts have heard of every change, and its connections are done. */
static void model_tick(struct model *m)
{
    m->now += 1000;
    for (size_t k = 0; k < m->n; k++)
        m->instances[k].route_served = m->instances[k].drained = true;
}

static int model_serving(const struct model *m)
{
    int serving = 0;
    for (size_t k = 0; k < m->n; k++) {
        const struct plan_instance *i = &m->instances[k];
        serving += i->state == PLAN_RUNNING && i->stop_requested_ms == 0 && i->ready_ms > 0 &&
                   (i->route_served || i->unroute_ms > 0);
    }
    return serving;
}

/* Whatever was there before, the wanted instances run in the end, and on the way old ones never make room too early: none
 * is told to end while a front may send it requests or while fewer than the wanted ones get them. */
static void test_update_keeps_capacity(void)
{
    struct model m = {.now = NOW};
    for (int slot = 0; slot < 4; slot++) {
        const struct given g = {.slot = slot, .generation = 1, .state = PLAN_RUNNING, .started_ago = 99999, .stop_ago = NONE,
                                .finished_ago = NONE, .seen = FRONTED | SERVED};
        instance_of(&g, slot, &m.instances[m.n++]);
    }
    bool settled = false;
    for (int turn = 0; turn < 300 && !settled; turn++) {
        struct plan_input input = {.service_name = "web", .wanted = 4, .generation = 2, .image_ready = true,
                                   .front_fault = "", .endpoint_fault = "",
                                   .now_ms = m.now, .limits = limits, .instances = m.instances, .n_instances = m.n};
        struct plan plan = {0};
        plan_make(&input, &plan);
        settled = plan.condition == PLAN_SETTLED;
        for (size_t a = 0; a < plan.n_actions; a++) {
            const struct plan_action *action = &plan.actions[a];
            if (action->step == PLAN_TERM)
                CU_ASSERT_TRUE(action->instance->unroute_ms > 0 && action->instance->route_served && action->instance->drained);
            model_act(&m, action);
        }
        CU_ASSERT_TRUE(model_serving(&m) >= 4);
        model_tick(&m);
        plan_free(&plan);
    }
    CU_ASSERT_TRUE(settled);
    CU_ASSERT_EQUAL(model_serving(&m), 4);
}

void suite_plan(void)
{
    CU_pSuite suite = CU_add_suite("plan", NULL, NULL);
    CU_add_test(suite, "every rule", test_rows);
    CU_add_test(suite, "back-off", test_back_off);
    CU_add_test(suite, "an update never lowers what serves", test_update_keeps_capacity);
}
