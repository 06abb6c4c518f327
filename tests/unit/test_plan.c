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
};

/* An instance as the rows of the tables write it: ages in milliseconds before NOW, -1 for never. */
struct given {
    int slot;
    int64_t generation;
    enum plan_state state;
    int restarts;
    int64_t started_ago, stop_ago, finished_ago;
    bool log_complete, vanished;
};

struct row {
    const char *what;
    int wanted;
    int64_t generation;
    bool deleted, stop_first, no_image;
    struct given given[MOST];
    const char *actions; /* such as "new 0/1 term 2": step, slot, for new its restarts */
    int64_t due_in;      /* 0: none */
    enum plan_condition condition;
    const char *says; /* part of the message; NULL: it is empty */
    bool needs_image, empty;
};

#define NONE -1
#define RUNS(slot, generation, age) {slot, generation, PLAN_RUNNING, 0, age, NONE, NONE, false, false}

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
};

static void instance_of(const struct given *g, int n, struct plan_instance *i)
{
    *i = (struct plan_instance){.slot = g->slot, .generation = g->generation, .state = g->state, .restarts = g->restarts,
                                .log_complete = g->log_complete, .vanished = g->vanished};
    snprintf(i->id, sizeof i->id, "00000000-0000-1000-8000-%012d", n);
    if (g->state != PLAN_INTENDED)
        snprintf(i->container_id, sizeof i->container_id, "container-%d", n);
    i->started_ms = g->started_ago >= 0 ? NOW - g->started_ago : 0;
    i->stop_requested_ms = g->stop_ago >= 0 ? NOW - g->stop_ago : 0;
    i->finished_ms = g->finished_ago >= 0 ? NOW - g->finished_ago : 0;
    snprintf(i->reason, sizeof i->reason, "ended with exit code 1");
}

static void actions_text(const struct plan *plan, struct buf *out)
{
    static const char *const names[PLAN_STEP__MAX] = {
        [PLAN_NEW] = "new", [PLAN_ENSURE] = "ensure", [PLAN_TERM] = "term",
        [PLAN_KILL] = "kill", [PLAN_REMOVE] = "remove", [PLAN_FORGET] = "forget",
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
        .stop_first = row->stop_first, .image_ready = !row->no_image, .now_ms = NOW, .limits = limits,
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

/* Carries plans out on a model of the engine and the clock until nothing is left to do: whatever was there before, the
 * wanted instances run in the end, and on the way old ones never make room too early. */
static void test_update_keeps_capacity(void)
{
    struct plan_instance instances[64];
    size_t n = 0;
    int64_t now = NOW;
    for (int slot = 0; slot < 4; slot++) {
        struct given g = RUNS(slot, 1, 99999);
        instance_of(&g, slot, &instances[n++]);
    }
    bool settled = false;
    for (int turn = 0; turn < 200 && !settled; turn++) {
        struct plan_input input = {.service_name = "web", .wanted = 4, .generation = 2, .image_ready = true, .now_ms = now,
                                   .limits = limits, .instances = instances, .n_instances = n};
        struct plan plan = {0};
        plan_make(&input, &plan);
        settled = plan.condition == PLAN_SETTLED;
        for (size_t a = 0; a < plan.n_actions; a++) {
            struct plan_instance *i = (struct plan_instance *)plan.actions[a].instance;
            if (plan.actions[a].step == PLAN_NEW) {
                CU_ASSERT_TRUE_FATAL(n < 64);
                instances[n] = (struct plan_instance){.slot = plan.actions[a].slot, .generation = 2, .state = PLAN_RUNNING,
                                                      .started_ms = now, .container_id = "c"};
                n++;
            } else if (plan.actions[a].step == PLAN_TERM) {
                i->stop_requested_ms = now;
            } else if (plan.actions[a].step == PLAN_KILL || plan.actions[a].step == PLAN_REMOVE) {
                i->state = PLAN_GONE;
                i->finished_ms = now;
            }
        }
        int serving = 0;
        for (size_t k = 0; k < n; k++) {
            bool runs = instances[k].state == PLAN_RUNNING && instances[k].stop_requested_ms == 0;
            bool proved = instances[k].generation == 1 || now - instances[k].started_ms >= limits.update_settle;
            serving += runs && proved;
        }
        CU_ASSERT_TRUE(serving >= 4);
        now += 500;
        plan_free(&plan);
    }
    CU_ASSERT_TRUE(settled);
}

void suite_plan(void)
{
    CU_pSuite suite = CU_add_suite("plan", NULL, NULL);
    CU_add_test(suite, "every rule", test_rows);
    CU_add_test(suite, "back-off", test_back_off);
    CU_add_test(suite, "an update never lowers what serves", test_update_keeps_capacity);
}
