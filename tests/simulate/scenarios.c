/* What is simulated: each shape of traffic under several settings, and what has to come of it. */
#include "tests/simulate/simulate.h"

/* Up at the first hour, down at the third. */
#define STEP_OF(lowest, highest) {LOAD_STEP, .low = (lowest), .high = (highest), .from = HOURS(1), .until = HOURS(3)}
#define STEP_EXPECTED                                                                                                             \
    {{EXPECT_STILL, HOURS(0.1), HOURS(1), 0}, {EXPECT_CONVERGED, HOURS(1), HOURS(3), 0}, {EXPECT_STILL, HOURS(2), HOURS(3), 0},   \
     {EXPECT_CONVERGED, HOURS(3), HOURS(5), 0}, {EXPECT_STILL, HOURS(4), HOURS(5), 0}}
#define STEP_DRY_EXPECTED {{EXPECT_DRY, HOURS(1), HOURS(3), 0}}

/* Eight levels of two hours: the direction that the load takes, then an hour and more in which nothing moves. */
#define LEVEL(n) {EXPECT_CONVERGED, HOURS(2 * (n)), HOURS(2 * (n) + 2), 0}
#define STAIRS_EXPECTED {LEVEL(0), LEVEL(1), LEVEL(2), LEVEL(3), LEVEL(4), LEVEL(5), LEVEL(6), LEVEL(7)}
#define STAIRS_OF(...) {LOAD_STAIRS, .period = HOURS(2), .levels = {__VA_ARGS__}}

#define SPIKES {LOAD_SPIKES, .low = 0.5, .high = 2.2, .from = HOURS(1), .until = HOURS(5), .period = 780, .length = 300}

const struct scenario scenarios[] = {
    /* One step up, one down. */
    {"step-60", 5, STEP_OF(0.5, 2.8), .expected = STEP_EXPECTED},
    {"step-30", 5, STEP_OF(0.5, 2.8), .wait = 30, .expected = STEP_EXPECTED},
    {"step-300", 5, STEP_OF(0.5, 2.8), .wait = 300, .expected = STEP_EXPECTED},
    {"step-by-2", 5, STEP_OF(0.5, 2.8), .increase = 2, .decrease = 2, .expected = STEP_EXPECTED},
    {"step-by-3", 5, STEP_OF(0.9, 4.5), .increase = 3, .decrease = 3, .first = 2, .expected = STEP_EXPECTED},
    {"step-max", 5, STEP_OF(0.5, 2.8), .stat = "MAX", .skew = 0.15, .expected = STEP_EXPECTED},
    {"step-min", 5, STEP_OF(0.5, 2.8), .stat = "MIN", .skew = 0.15, .expected = STEP_EXPECTED},
    {"step-network", 5, STEP_OF(0.5, 2.8), .metric = "NETWORK_IN", .upper = 6e5, .lower = 2e5, .expected = STEP_EXPECTED},
    {"step-memory", 5, STEP_OF(0.5, 2.8), .metric = "MEMORY_UTILIZATION", .expected = STEP_EXPECTED},
    {"step-two-waits", 5, STEP_OF(0.5, 2.8), .wait_up = 120, .wait_down = 600, .expected = STEP_EXPECTED},
    {"step-window", 5, STEP_OF(0.5, 2.8), .window = 600, .expected = STEP_EXPECTED},
    {"step-to-max", 5, STEP_OF(0.5, 20), .maximum = 6, .expected = STEP_EXPECTED},
    {"step-from-3", 5, STEP_OF(0.3, 2.8), .minimum = 3, .expected = STEP_EXPECTED},
    {"step-burns-60", 5, STEP_OF(0.5, 2.8), .burns = 54, .expected = STEP_EXPECTED},
    {"step-burns-300", 5, STEP_OF(0.5, 2.8), .wait = 300, .burns = 270, .expected = STEP_EXPECTED},
    {"step-dry", 5, STEP_OF(0.5, 2.8), .dry_run = true, .expected = STEP_DRY_EXPECTED},
    {"step-late-300", 5, STEP_OF(0.5, 2.8), .wait = 300, .start_delay = 45, .expected = STEP_EXPECTED},
    {"step-passes-300", 5, STEP_OF(0.5, 2.8), .wait = 300, .passes_every = 60, .expected = STEP_EXPECTED},
    /* Samples from before the new instance ran are still in the window at the next decision: one step more than are needed. */
    {"step-late-60", 5, STEP_OF(0.5, 2.8), .start_delay = 45,
     .expected = {{EXPECT_AT_LEAST, HOURS(2), HOURS(3), 5}, {EXPECT_AT_MOST, 0, HOURS(5), 6}, {EXPECT_STILL, HOURS(2), HOURS(3), 0},
                  {EXPECT_STILL, HOURS(4), HOURS(5), 0}}},
    /* The same, by settings: a wait upwards that is shorter than the window. */
    {"step-quick-up", 5, STEP_OF(0.5, 2.8), .wait_up = 15, .wait_down = 300,
     .expected = {{EXPECT_AT_LEAST, HOURS(2), HOURS(3), 5}, {EXPECT_AT_MOST, 0, HOURS(5), 8}, {EXPECT_STILL, HOURS(2), HOURS(3), 0},
                  {EXPECT_STILL, HOURS(4), HOURS(5), 0}}},

    /* A person's count outside of the range is put right at once. */
    {"range", 2, STEP_OF(0.5, 0.5), .minimum = 2, .maximum = 4, .first = 9, .expected = {{EXPECT_STILL, HOURS(1), HOURS(2), 0}}},

    /* Loads all over the range; with a narrow band most of them stand where one instance more or less would leave it. */
    {"stairs-narrow-60", 16, STAIRS_OF(0.65, 0.5, 1.21, 1.85, 2.39, 0.65, 1.3, 0.3), .lower = 0.4, .maximum = 4,
     .expected = STAIRS_EXPECTED},
    {"stairs-narrow-300", 16, STAIRS_OF(0.65, 2.39, 1.21, 4.1, 3.3, 0.65, 1.3, 0.3), .lower = 0.4, .maximum = 8, .wait = 300,
     .expected = STAIRS_EXPECTED},
    {"stairs-narrow-30", 16, STAIRS_OF(0.65, 0.59, 1.25, 1.15, 1.85, 1.75, 2.3, 0.61), .lower = 0.5, .maximum = 5, .wait = 30,
     .expected = STAIRS_EXPECTED},
    {"stairs-wide", 16, STAIRS_OF(0.65, 2.39, 5.5, 3.1, 1.05, 4.4, 0.5, 2.9), .lower = 0.21, .expected = STAIRS_EXPECTED},
    {"stairs-by-3", 16, STAIRS_OF(0.75, 2.9, 5.3, 6.4, 6.1, 8.3, 0.9, 3.3), .upper = 0.7, .lower = 0.5, .increase = 3, .maximum = 20,
     .expected = STAIRS_EXPECTED},
    {"stairs-max", 16, STAIRS_OF(0.65, 0.5, 1.21, 1.85, 2.39, 0.65, 1.3, 0.3), .lower = 0.45, .maximum = 6, .stat = "MAX",
     .skew = 0.1, .expected = STAIRS_EXPECTED},
    {"stairs-network", 16, STAIRS_OF(0.65, 4.5, 1.21, 1.85, 2.39, 0.65, 1.3, 0.3), .metric = "NETWORK_IN", .upper = 6e5,
     .lower = 4e5, .expected = STAIRS_EXPECTED},

    /* Peaks that come again sooner than the stabilization window forgets them, and the same without such a window. */
    {"spikes-window", 7, SPIKES, .window = 900,
     .expected = {{EXPECT_NONE_TAKEN, HOURS(1), HOURS(5), 0}, {EXPECT_AT_LEAST, HOURS(1.5), HOURS(5), 4}, {EXPECT_STILL, HOURS(2), HOURS(4), -1},
                  {EXPECT_SOME_TAKEN, HOURS(5), HOURS(6), 0}, {EXPECT_STILL, HOURS(6), HOURS(7), 0}}},
    {"spikes-plain", 7, SPIKES, .expected = {{EXPECT_SOME_TAKEN, HOURS(1), HOURS(5), 0}, {EXPECT_STILL, HOURS(6), HOURS(7), 0}}},
    {"spikes-of-30-s", 6, {LOAD_SPIKES, .low = 1, .high = 2, .from = HOURS(1), .until = HOURS(5), .period = 600, .length = 30},
     .wait = 300, .first = 2, .expected = {{EXPECT_STILL, HOURS(0.1), HOURS(6), 0}}},

    /* An instance that dies again and again. */
    {"dying-60", 6, STEP_OF(1.6, 1.6), .first = 3, .dies_every = 300, .back_after = 20,
     .expected = {{EXPECT_AT_LEAST, 0, HOURS(6), 3}, {EXPECT_AT_MOST, 0, HOURS(6), 4}, {EXPECT_STILL, HOURS(1), HOURS(6), -1}}},
    {"dying-300", 6, STEP_OF(1.6, 1.6), .first = 3, .dies_every = 600, .back_after = 20, .wait = 300,
     .expected = {{EXPECT_AT_LEAST, 0, HOURS(6), 3}, {EXPECT_AT_MOST, 0, HOURS(6), 4}, {EXPECT_STILL, HOURS(1), HOURS(6), -1}}},
    /* Between two deaths three are enough, and at each death they are not; a stabilization window remembers that. */
    {"dying-narrow", 6, STEP_OF(1.6, 1.6), .first = 3, .dies_every = 180, .back_after = 20, .lower = 0.45,
     .expected = {{EXPECT_AT_LEAST, 0, HOURS(6), 3}, {EXPECT_AT_MOST, 0, HOURS(6), 4}}},
    {"dying-narrow-window", 6, STEP_OF(1.6, 1.6), .first = 3, .dies_every = 180, .back_after = 20, .lower = 0.45, .window = 600,
     .expected = {{EXPECT_AT_LEAST, 0, HOURS(6), 3}, {EXPECT_AT_MOST, 0, HOURS(6), 4}, {EXPECT_STILL, HOURS(1), HOURS(6), -1}}},
    {"dying-alone", 6, STEP_OF(0.3, 0.3), .dies_every = 300, .back_after = 20, .expected = {{EXPECT_STILL, 0, HOURS(6), -1}}},
    {"dying-young", 6, STEP_OF(1.6, 1.6), .first = 3, .dies_every = 45, .back_after = 20,
     .expected = {{EXPECT_AT_LEAST, 0, HOURS(6), 3}, {EXPECT_AT_MOST, 0, HOURS(6), 5}, {EXPECT_STILL, HOURS(1), HOURS(6), -1}}},

    /* Samples are missing for an hour in which the load changes. */
    {"missing-all-falls", 6, {LOAD_STEP, .low = 1.6, .high = 0.3, .from = HOURS(2) + 600, .until = HOURS(6)}, .first = 3,
     .silent_from = HOURS(2), .silent_until = HOURS(3),
     .expected = {{EXPECT_STILL, HOURS(0.1), HOURS(3), -1}, {EXPECT_CONVERGED, HOURS(3), HOURS(6), 0}, {EXPECT_STILL, HOURS(4), HOURS(6), 0}}},
    {"missing-one-falls", 6, {LOAD_STEP, .low = 1.6, .high = 0.3, .from = HOURS(2) + 600, .until = HOURS(6)}, .first = 3,
     .silent_from = HOURS(2), .silent_until = HOURS(3), .silent_slots = 1,
     .expected = {{EXPECT_STILL, HOURS(0.1), HOURS(3), -1}, {EXPECT_CONVERGED, HOURS(3), HOURS(6), 0}, {EXPECT_STILL, HOURS(4), HOURS(6), 0}}},
    {"missing-one-300", 6, {LOAD_STEP, .low = 1.6, .high = 0.3, .from = HOURS(2) + 600, .until = HOURS(6)}, .first = 3, .wait = 300,
     .silent_from = HOURS(2), .silent_until = HOURS(3), .silent_slots = 1,
     .expected = {{EXPECT_STILL, HOURS(0.1), HOURS(3), -1}, {EXPECT_CONVERGED, HOURS(3), HOURS(6), 0}, {EXPECT_STILL, HOURS(4), HOURS(6), 0}}},
    {"missing-all-rises", 6, {LOAD_STEP, .low = 0.5, .high = 2.8, .from = HOURS(2) + 600, .until = HOURS(6)},
     .silent_from = HOURS(2), .silent_until = HOURS(3),
     .expected = {{EXPECT_STILL, HOURS(0.1), HOURS(3), -1}, {EXPECT_CONVERGED, HOURS(3), HOURS(6), 0}, {EXPECT_STILL, HOURS(4), HOURS(6), 0}}},
    {"missing-one-rises", 6, {LOAD_STEP, .low = 1, .high = 3.4, .from = HOURS(2) + 600, .until = HOURS(6)}, .first = 2,
     .silent_from = HOURS(2), .silent_until = HOURS(3), .silent_slots = 1,
     .expected = {{EXPECT_CONVERGED, HOURS(2) + 600, HOURS(3), 0}, {EXPECT_STILL, HOURS(4), HOURS(6), 0}}},

    /* Instances that are busy with themselves at first, and start again and again: no reason for more of them. */
    {"slow-start-60", 6, STEP_OF(0.8, 0.8), .first = 2, .dies_every = 600, .back_after = 5, .burns = 54,
     .expected = {{EXPECT_STILL, 0, HOURS(6), -1}}},
    {"slow-start-300", 6, STEP_OF(0.8, 0.8), .first = 2, .dies_every = 1800, .back_after = 5, .burns = 270, .wait = 300,
     .expected = {{EXPECT_STILL, 0, HOURS(6), -1}}},

    /* Two days of what never stands still. */
    {"sawtooth-60", 48, {LOAD_SAWTOOTH, .low = 0.4, .high = 4, .period = HOURS(2)}, .reversals = 47},
    {"sawtooth-300", 48, {LOAD_SAWTOOTH, .low = 0.4, .high = 4, .period = HOURS(3)}, .wait = 300, .increase = 2, .reversals = 31},
    {"diurnal-60", 48, {LOAD_DIURNAL, .low = 0.5, .high = 5, .noise = 0.1}, .reversals = 3},
    {"diurnal-300", 48, {LOAD_DIURNAL, .low = 0.5, .high = 5, .noise = 0.1}, .wait = 300, .lower = 0.25, .reversals = 3},
    {"diurnal-window", 48, {LOAD_DIURNAL, .low = 0.5, .high = 3, .noise = 0.2}, .wait = 30, .lower = 0.4, .window = 1800, .reversals = 3},
    {"diurnal-max", 48, {LOAD_DIURNAL, .low = 0.5, .high = 4, .noise = 0.1}, .stat = "MAX", .window = 600, .reversals = 3},
    /* Three instances leave a band whose ends are as 2 to 3 for exactly the upper end of two: noise may turn that around. */
    {"diurnal-narrow", 48, {LOAD_DIURNAL, .low = 0.5, .high = 5, .noise = 0.1}, .wait = 300, .lower = 0.4, .reversals = 7},
};
const size_t n_scenarios = sizeof scenarios / sizeof scenarios[0];
