/* Services under simulated traffic: the real statement decides, against a real PostgreSQL and a clock of the tests' own;
 * the simulator plays the collector and the deployer. */
#ifndef SKYLARK_TESTS_SIMULATE_SIMULATE_H
#define SKYLARK_TESTS_SIMULATE_SIMULATE_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/simulate/load.h"

#define STEP 15                /* seconds between two steps of the clock: looks at a service, and samples of an instance */
#define STALE 40               /* seconds after which samples are stale */
#define HEARTBEAT (4 * 3600)   /* seconds after which a decision that holds is recorded anew */
#define INSTANCES_MAX 24
#define ACTIONS_MAX 4000
#define EXPECTATIONS_MAX 8
#define HOURS(n) ((int)((n) * 3600))

enum expectation {
    EXPECT_NOTHING,
    EXPECT_CONVERGED,   /* the load is the same all the time: as few actions as the deltas allow, the right count at the end */
    EXPECT_STILL,       /* no action, and no more rows than heartbeats and a change of reason */
    EXPECT_NONE_TAKEN,
    EXPECT_SOME_TAKEN,
    EXPECT_AT_LEAST,    /* never fewer than `count` */
    EXPECT_AT_MOST,     /* never more than `count` */
    EXPECT_DRY,         /* decisions of a dry run, and no action */
};

struct expected {
    enum expectation what;
    int from, until; /* seconds since the beginning */
    int count;
};

struct scenario {
    const char *name;
    int hours;
    struct load load;
    /* Settings; 0 or null: wait_period 60, deltas 1, 1 to 10 instances, band 0.2 to 0.6, MEAN of CPU_UTILIZATION. */
    const char *metric, *stat;
    double upper, lower;
    int increase, decrease, minimum, maximum, wait, wait_up, wait_down, window;
    bool dry_run;
    /* What is wrong with it, or peculiar. */
    int start_delay;             /* seconds from the wish for an instance until it runs */
    int burns;                   /* seconds after its start in which an instance uses all its CPU for itself */
    int dies_every;              /* seconds between two deaths of the instance of slot 0 */
    int back_after;              /* seconds from a death until its successor runs */
    int silent_from, silent_until; /* when samples are missing */
    int silent_slots;            /* of how many of the first slots; 0: of all */
    double skew;                 /* by how much even slots get more of the load than odd ones */
    int first;                   /* instances at the beginning; 0: the minimum */
    int passes_every;            /* seconds between two passes of the deployer; 0: one each step */
    int reversals;               /* changes of direction at the most; 0: any number */
    struct expected expected[EXPECTATIONS_MAX];
};

struct action {
    int at, before, after;
    char reason[16];
};

/* What came of a scenario. */
struct outcome {
    struct scenario s;           /* with what it left out filled in */
    struct action actions[ACTIONS_MAX];
    int n_actions;
    int *rows, n_rows, cap_rows; /* when each row was added to autoscaling_decisions */
    int *dry_rows, n_dry_rows, cap_dry_rows;
    short *targets;              /* after each step */
    int n_steps;
    int evaluations, overloaded; /* looks; steps in which the metric itself stood above the upper threshold */
    int unrecorded;              /* changes of the target without a row that says so, or the other way round */
    int first_outside;           /* first time outside of minimum and maximum; -1: never */
};

extern const struct scenario scenarios[];
extern const size_t n_scenarios;

/* Lets all scenarios run to their ends, once; the outcomes stand in the order of scenarios. NULL when it failed. */
const struct outcome *simulate(void);

/* The metric as the collector would measure it of n instances at that load: of one slot, or by the scenario's statistic. */
double simulate_usage(const struct scenario *s, double load, const bool *up, int slot);
double simulate_metric(const struct scenario *s, double load, int n);

#endif
