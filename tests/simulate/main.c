/* The autoscaler under published shapes of traffic, over simulated days. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/check.h"
#include "tests/simulate/simulate.h"

static const struct outcome *outcomes;

static bool went_up(const struct action *a)
{
    return a->after > a->before;
}

static bool repairs(const struct action *a)
{
    return strcmp(a->reason, "below_minimum") == 0 || strcmp(a->reason, "above_maximum") == 0;
}

static void test_simulation(void)
{
    REQUIRE((outcomes = simulate()) != NULL, "the simulation did not come to its end");
    for (size_t i = 0; i < n_scenarios; i++) {
        const struct outcome *o = &outcomes[i];
        int steps = HOURS(o->s.hours) / STEP;
        CHECK(o->n_steps == steps, "%s: %d steps of %d", o->s.name, o->n_steps, steps);
        CHECK(o->evaluations >= steps - 1, "%s: looked at only %d times in %d steps", o->s.name, o->evaluations, steps);
        CHECK(o->n_actions < ACTIONS_MAX, "%s: too many actions", o->s.name);
        CHECK(o->unrecorded == 0, "%s: %d changes that no row tells of", o->s.name, o->unrecorded);
    }
}

/* Never outside of minimum and maximum. */
static void test_range(void)
{
    REQUIRE((outcomes = simulate()) != NULL, "the simulation did not come to its end");
    for (size_t i = 0; i < n_scenarios; i++) {
        const struct outcome *o = &outcomes[i];
        CHECK(o->first_outside < 0, "%s: outside of %d to %d after %d s", o->s.name, o->s.minimum, o->s.maximum,
              o->first_outside);
    }
}

/* No two actions within the waiting period, nor by more than the delta; but what is out of the range is put right at once. */
static void test_waits(void)
{
    REQUIRE((outcomes = simulate()) != NULL, "the simulation did not come to its end");
    for (size_t i = 0; i < n_scenarios; i++) {
        const struct outcome *o = &outcomes[i];
        for (int k = 0; k < o->n_actions; k++) {
            const struct action *a = &o->actions[k];
            int direction = went_up(a) ? o->s.wait_up : o->s.wait_down;
            int wait = direction != 0 ? direction : o->s.wait, delta = went_up(a) ? o->s.increase : o->s.decrease;
            if (repairs(a))
                continue;
            if (!CHECK(k == 0 || a->at - a[-1].at >= wait, "%s: acted after %d s and again after %d s", o->s.name,
                       k == 0 ? 0 : a[-1].at, a->at) ||
                !CHECK(abs(a->after - a->before) <= delta, "%s: from %d to %d after %d s", o->s.name, a->before, a->after,
                       a->at))
                break;
        }
    }
}

/* What the deltas allow for one load: first so many actions up, then so many down. */
struct path {
    int ups, downs, count;
};

static struct path path_of(const struct scenario *s, double load, int count)
{
    struct path p = {0, 0, count};
    int need = s->minimum;
    while (need < s->maximum && simulate_metric(s, load, need) > s->upper)
        need++;
    if (need > count && simulate_metric(s, load, count) > s->upper) {
        p.ups = (need - count + s->increase - 1) / s->increase;
        p.count = count + p.ups * s->increase < s->maximum ? count + p.ups * s->increase : s->maximum;
    }
    for (;;) {
        double metric = simulate_metric(s, load, p.count);
        int least = (int)ceil(metric * p.count / s->upper - 1e-6), next = p.count - s->decrease;
        next = next > s->minimum ? next : s->minimum;
        next = next > least ? next : least;
        if (metric >= s->lower || next >= p.count)
            return p;
        p.count = next;
        p.downs++;
    }
}

static int target_at(const struct outcome *o, int at)
{
    return o->targets[at / STEP < o->n_steps ? at / STEP : o->n_steps - 1];
}

static int rows_within(const int *rows, int n, int from, int until)
{
    int found = 0;
    for (int i = 0; i < n; i++)
        found += rows[i] >= from && rows[i] < until;
    return found;
}

static void expect_converged(const struct outcome *o, const struct expected *e, const struct action *first, int ups, int downs)
{
    double load = load_at(&o->s.load, e->from);
    int before = e->from == 0 ? (o->s.first != 0 ? o->s.first : o->s.minimum) : target_at(o, e->from - STEP);
    struct path p = path_of(&o->s, load, before);
    int after = target_at(o, e->until - STEP);
    CHECK(ups == p.ups && downs == p.downs, "%s: load %g from %d s on took %d steps up and %d down instead of %d and %d",
          o->s.name, load, e->from, ups, downs, p.ups, p.downs);
    CHECK(after == p.count, "%s: load %g from %d s on led from %d to %d instances instead of %d", o->s.name, load, e->from,
          before, after, p.count);
    for (int k = 1; k < ups + downs; k++)
        if (!CHECK(!went_up(&first[k]) || went_up(&first[k - 1]), "%s: turned upwards again after %d s", o->s.name,
                   first[k].at))
            break;
    /* Half of the time is long enough for everything to be over. */
    if (ups + downs > 0) {
        int last = first[ups + downs - 1].at;
        CHECK(last < e->from + (e->until - e->from) / 2, "%s: still moved after %d s", o->s.name, last);
    }
}

static void expect(const struct outcome *o, const struct expected *e)
{
    int ups = 0, downs = 0, least = target_at(o, e->from), most = least;
    const struct action *first = NULL;
    for (int k = 0; k < o->n_actions; k++) {
        const struct action *a = &o->actions[k];
        if (a->at < e->from || a->at >= e->until)
            continue;
        first = first != NULL ? first : a;
        ups += went_up(a);
        downs += !went_up(a);
    }
    for (int at = e->from; at < e->until; at += STEP) {
        least = target_at(o, at) < least ? target_at(o, at) : least;
        most = target_at(o, at) > most ? target_at(o, at) : most;
    }
    int rows = rows_within(o->rows, o->n_rows, e->from, e->until);
    switch (e->what) {
    case EXPECT_NOTHING:
        break;
    case EXPECT_CONVERGED:
        expect_converged(o, e, first, ups, downs);
        break;
    case EXPECT_STILL:
        CHECK(ups == 0 && downs == 0, "%s: %d steps up and %d down between %d s and %d s, the first after %d s", o->s.name, ups,
              downs, e->from, e->until, first != NULL ? first->at : 0);
        /* Where the reason has none to change, there is a heartbeat now and then. */
        if (e->count >= 0)
            CHECK(rows <= 1 + (e->until - e->from) / HEARTBEAT, "%s: %d rows between %d s and %d s", o->s.name, rows, e->from,
                  e->until);
        break;
    case EXPECT_SOME_TAKEN:
        CHECK(downs > 0, "%s: nothing was taken away between %d s and %d s", o->s.name, e->from, e->until);
        break;
    case EXPECT_NONE_TAKEN:
        CHECK(downs == 0, "%s: %d steps down between %d s and %d s", o->s.name, downs, e->from, e->until);
        break;
    case EXPECT_AT_LEAST:
        CHECK(least >= e->count, "%s: only %d instances between %d s and %d s", o->s.name, least, e->from, e->until);
        break;
    case EXPECT_AT_MOST:
        CHECK(most <= e->count, "%s: %d instances between %d s and %d s", o->s.name, most, e->from, e->until);
        break;
    case EXPECT_DRY:
        CHECK(o->n_actions == 0 && least == most, "%s: %d actions in a dry run, %d to %d instances", o->s.name, o->n_actions,
              least, most);
        CHECK(rows_within(o->dry_rows, o->n_dry_rows, e->from, e->until) > 0, "%s: no decision of a dry run", o->s.name);
        CHECK(rows <= 3 + (e->until - e->from) / HEARTBEAT, "%s: %d rows of a dry run", o->s.name, rows);
        break;
    }
}

/* Each scenario's own expectations: convergence, steady loads, missing metrics, spikes, instances that die or start slowly. */
static void test_expectations(void)
{
    REQUIRE((outcomes = simulate()) != NULL, "the simulation did not come to its end");
    for (size_t i = 0; i < n_scenarios; i++)
        for (size_t k = 0; k < EXPECTATIONS_MAX; k++)
            expect(&outcomes[i], &outcomes[i].s.expected[k]);
}

static int reversals(const struct outcome *o)
{
    int found = 0;
    for (int k = 1; k < o->n_actions; k++)
        found += went_up(&o->actions[k]) != went_up(&o->actions[k - 1]);
    return found;
}

/* The count turns around when the load does, and not in between. */
static void test_reversals(void)
{
    REQUIRE((outcomes = simulate()) != NULL, "the simulation did not come to its end");
    for (size_t i = 0; i < n_scenarios; i++) {
        const struct outcome *o = &outcomes[i];
        if (o->s.reversals == 0)
            continue;
        int found = reversals(o);
        CHECK(found <= o->s.reversals && found >= o->s.reversals / 2, "%s: turned around %d times, not %d", o->s.name, found,
              o->s.reversals);
        CHECK(o->overloaded <= o->n_steps / 10, "%s: above the upper threshold in %d steps of %d", o->s.name, o->overloaded,
              o->n_steps);
    }
}

static void print_table(void)
{
    printf("\n%-20s %-9s %5s %5s %6s %7s %6s %9s\n", "service", "shape", "up", "down", "turns", "looks", "rows", "overload");
    for (size_t i = 0; i < n_scenarios; i++) {
        const struct outcome *o = &outcomes[i];
        int ups = 0;
        for (int k = 0; k < o->n_actions; k++)
            ups += went_up(&o->actions[k]);
        printf("%-20s %-9s %5d %5d %6d %7d %6d %8.2f%%\n", o->s.name, load_name(o->s.load.shape), ups, o->n_actions - ups,
               reversals(o), o->evaluations, o->n_rows, 100.0 * o->overloaded / o->n_steps);
    }
}

/* A row an action and a change of reason, not a row a look: around an action the reason changes a few times, and noise
 * about a threshold changes it now and then. What does not change is told again by a heartbeat. */
static void test_rows(void)
{
    REQUIRE((outcomes = simulate()) != NULL, "the simulation did not come to its end");
    for (size_t i = 0; i < n_scenarios; i++) {
        const struct outcome *o = &outcomes[i];
        int bound = 4 + HOURS(o->s.hours) / HEARTBEAT + 8 * o->n_actions + o->evaluations / 4, longest = 0;
        for (int k = 0; k < o->n_rows; k++) {
            int gap = (k + 1 < o->n_rows ? o->rows[k + 1] : HOURS(o->s.hours) - STEP) - o->rows[k];
            longest = gap > longest ? gap : longest;
        }
        CHECK(o->n_rows <= bound, "%s: %d rows of %d looks", o->s.name, o->n_rows, o->evaluations);
        CHECK(o->n_rows > 0 && longest <= HEARTBEAT, "%s: %d rows, and none for %d s", o->s.name, o->n_rows, longest);
    }
    print_table();
}

int main(int argc, char **argv)
{
    static const struct check_test tests[] = {
        {"simulation", test_simulation},
        {"range", test_range},
        {"waits", test_waits},
        {"expectations", test_expectations},
        {"reversals", test_reversals},
        {"decision_rows", test_rows},
        {NULL, NULL},
    };
    static const struct check_suite suites[] = {{"simulate", tests}};
    check_deadline(NULL, 400);
    return check_main(suites, 1, argc, argv);
}
