/* What is simulated: each shape of traffic under several settings, and what has to come of it. */
#include "tests/simulate/simulate.h"

/* What is expected between two hours of the run; of what is still, BUT_REASONS may change. */
#define CONVERGED(a, b) {EXPECT_CONVERGED, HOURS(a), HOURS(b), 0}
#define STILL(a, b) {EXPECT_STILL, HOURS(a), HOURS(b), 0}
#define STILL_BUT_REASONS(a, b) {EXPECT_STILL, HOURS(a), HOURS(b), -1}
#define SOME_TAKEN(a, b) {EXPECT_SOME_TAKEN, HOURS(a), HOURS(b), 0}
#define NONE_TAKEN(a, b) {EXPECT_NONE_TAKEN, HOURS(a), HOURS(b), 0}
#define AT_LEAST(n, a, b) {EXPECT_AT_LEAST, HOURS(a), HOURS(b), (n)}
#define AT_MOST(n, a, b) {EXPECT_AT_MOST, HOURS(a), HOURS(b), (n)}

/* Up at the first hour, down at the third. */
#define STEP_OF(lowest, highest) {LOAD_STEP, .low = (lowest), .high = (highest), .from = HOURS(1), .until = HOURS(3)}
#define STEP_EXPECTED {STILL(0.1, 1), CONVERGED(1, 3), STILL(2, 3), CONVERGED(3, 5), STILL(4, 5)}
#define STEP_DRY_EXPECTED {{EXPECT_DRY, HOURS(1), HOURS(3), 0}}

/* Eight levels of two hours: the direction that the load takes, then an hour and more in which nothing moves. */
#define LEVEL(n) CONVERGED(2 * (n), 2 * (n) + 2)
#define STAIRS_EXPECTED {LEVEL(0), LEVEL(1), LEVEL(2), LEVEL(3), LEVEL(4), LEVEL(5), LEVEL(6), LEVEL(7)}
#define STAIRS_OF(...) {LOAD_STAIRS, .period = HOURS(2), .levels = {__VA_ARGS__}}

#define SPIKES {LOAD_SPIKES, .low = 0.5, .high = 2.2, .from = HOURS(1), .until = HOURS(5), .period = 780, .length = 300}

/* Ten minutes into the third hour the load becomes another one; samples are missing in all of that hour. */
#define CHANGE_OF(before, after) {LOAD_STEP, .low = (before), .high = (after), .from = HOURS(2) + 600, .until = HOURS(6)}
#define SILENT_HOUR .silent_from = HOURS(2), .silent_until = HOURS(3)

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
    /* The wait before adding more begins when the new instance runs, so that samples from before that are out of the window. */
    {"step-late-60", 5, STEP_OF(0.5, 2.8), .start_delay = 45, .expected = STEP_EXPECTED},
    /* A wait upwards that is shorter than the window: samples from before the new instance are still in it, so a step or two more
     * are taken than are needed. */
    {"step-quick-up", 5, STEP_OF(0.5, 2.8), .wait_up = 15, .wait_down = 300,
     .expected = {AT_LEAST(5, 2, 3), AT_MOST(8, 0, 5), STILL(2, 3), STILL(4, 5)}},

    /* Instances, or the deployer, that take far longer than a waiting period: nothing is added meanwhile. */
    {"step-late-30", 5, STEP_OF(0.5, 2.8), .wait = 30, .start_delay = 120, .expected = STEP_EXPECTED},
    {"step-passes-30", 5, STEP_OF(0.5, 2.8), .wait = 30, .passes_every = 300, .expected = STEP_EXPECTED},

    /* A person's count outside of the range is put right at once. */
    {"range", 2, STEP_OF(0.5, 0.5), .minimum = 2, .maximum = 4, .first = 9, .expected = {STILL(1, 2)}},

    /* Loads all over the range; with a narrow band most of them stand where one instance more or less would leave it. */
    {"stairs-narrow-60", 16, STAIRS_OF(0.65, 0.5, 1.21, 1.85, 2.39, 0.65, 1.3, 0.3), .lower = 0.4, .maximum = 4,
     .expected = STAIRS_EXPECTED},
    {"stairs-narrow-300", 16, STAIRS_OF(0.65, 2.39, 1.21, 4.1, 3.3, 0.65, 1.3, 0.3), .lower = 0.4, .maximum = 8, .wait = 300,
     .expected = STAIRS_EXPECTED},
    {"stairs-narrow-30", 16, STAIRS_OF(0.65, 0.59, 1.25, 1.15, 1.85, 1.75, 2.3, 0.61), .lower = 0.5, .maximum = 5, .wait = 30,
     .expected = STAIRS_EXPECTED},
    {"stairs-wide", 16, STAIRS_OF(0.65, 2.39, 5.5, 3.1, 1.05, 4.4, 0.5, 2.9), .lower = 0.21, .expected = STAIRS_EXPECTED},
    {"stairs-by-3", 16, STAIRS_OF(0.75, 2.9, 5.3, 6.4, 6.1, 8.3, 0.9, 3.3), .upper = 0.7, .lower = 0.5, .increase = 3,
     .maximum = 20, .expected = STAIRS_EXPECTED},
    {"stairs-max", 16, STAIRS_OF(0.65, 0.5, 1.21, 1.85, 2.39, 0.65, 1.3, 0.3), .lower = 0.45, .maximum = 6, .stat = "MAX",
     .skew = 0.1, .expected = STAIRS_EXPECTED},
    {"stairs-network", 16, STAIRS_OF(0.65, 4.5, 1.21, 1.85, 2.39, 0.65, 1.3, 0.3), .metric = "NETWORK_IN", .upper = 6e5,
     .lower = 4e5, .expected = STAIRS_EXPECTED},

    /* Peaks that come again sooner than the stabilization window forgets them, and the same without such a window. */
    {"spikes-window", 7, SPIKES, .window = 900,
     .expected = {NONE_TAKEN(1, 5), AT_LEAST(4, 1.5, 5), STILL_BUT_REASONS(2, 4), SOME_TAKEN(5, 6), STILL(6, 7)}},
    {"spikes-plain", 7, SPIKES, .expected = {SOME_TAKEN(1, 5), STILL(6, 7)}},
    {"spikes-of-30-s", 6, {LOAD_SPIKES, .low = 1, .high = 2, .from = HOURS(1), .until = HOURS(5), .period = 600, .length = 30},
     .wait = 300, .first = 2, .expected = {STILL(0.1, 6)}},

    /* An instance that dies again and again. */
    {"dying-60", 6, STEP_OF(1.6, 1.6), .first = 3, .dies_every = 300, .back_after = 20,
     .expected = {AT_LEAST(3, 0, 6), AT_MOST(4, 0, 6), STILL_BUT_REASONS(1, 6)}},
    {"dying-300", 6, STEP_OF(1.6, 1.6), .first = 3, .dies_every = 600, .back_after = 20, .wait = 300,
     .expected = {AT_LEAST(3, 0, 6), AT_MOST(4, 0, 6), STILL_BUT_REASONS(1, 6)}},
    /* Between two deaths three are enough, and at each death they are not; a stabilization window remembers that. */
    {"dying-narrow", 6, STEP_OF(1.6, 1.6), .first = 3, .dies_every = 180, .back_after = 20, .lower = 0.45,
     .expected = {AT_LEAST(3, 0, 6), AT_MOST(4, 0, 6)}},
    {"dying-narrow-window", 6, STEP_OF(1.6, 1.6), .first = 3, .dies_every = 180, .back_after = 20, .lower = 0.45, .window = 600,
     .expected = {AT_LEAST(3, 0, 6), AT_MOST(4, 0, 6), STILL_BUT_REASONS(1, 6)}},
    {"dying-alone", 6, STEP_OF(0.3, 0.3), .dies_every = 300, .back_after = 20, .expected = {STILL_BUT_REASONS(0, 6)}},
    {"dying-young", 6, STEP_OF(1.6, 1.6), .first = 3, .dies_every = 45, .back_after = 20,
     .expected = {AT_LEAST(3, 0, 6), AT_MOST(5, 0, 6), STILL_BUT_REASONS(1, 6)}},

    /* Samples are missing for an hour in which the load changes. */
    {"missing-all-falls", 6, CHANGE_OF(1.6, 0.3), .first = 3, SILENT_HOUR,
     .expected = {STILL_BUT_REASONS(0.1, 3), CONVERGED(3, 6), STILL(4, 6)}},
    {"missing-one-falls", 6, CHANGE_OF(1.6, 0.3), .first = 3, SILENT_HOUR, .silent_slots = 1,
     .expected = {STILL_BUT_REASONS(0.1, 3), CONVERGED(3, 6), STILL(4, 6)}},
    {"missing-one-300", 6, CHANGE_OF(1.6, 0.3), .first = 3, .wait = 300, SILENT_HOUR, .silent_slots = 1,
     .expected = {STILL_BUT_REASONS(0.1, 3), CONVERGED(3, 6), STILL(4, 6)}},
    {"missing-all-rises", 6, CHANGE_OF(0.5, 2.8), SILENT_HOUR,
     .expected = {STILL_BUT_REASONS(0.1, 3), CONVERGED(3, 6), STILL(4, 6)}},
    {"missing-one-rises", 6, CHANGE_OF(1, 3.4), .first = 2, SILENT_HOUR, .silent_slots = 1,
     .expected = {{EXPECT_CONVERGED, HOURS(2) + 600, HOURS(3), 0}, STILL(4, 6)}},

    /* Instances that are busy with themselves at first, and start again and again: no reason for more of them. */
    {"slow-start-60", 6, STEP_OF(0.8, 0.8), .first = 2, .dies_every = 600, .back_after = 5, .burns = 54,
     .expected = {STILL_BUT_REASONS(0, 6)}},
    {"slow-start-300", 6, STEP_OF(0.8, 0.8), .first = 2, .dies_every = 1800, .back_after = 5, .burns = 270, .wait = 300,
     .expected = {STILL_BUT_REASONS(0, 6)}},

    /* Two days of what never stands still. */
    {"sawtooth-60", 48, {LOAD_SAWTOOTH, .low = 0.4, .high = 4, .period = HOURS(2)}, .reversals = 47},
    {"sawtooth-300", 48, {LOAD_SAWTOOTH, .low = 0.4, .high = 4, .period = HOURS(3)}, .wait = 300, .increase = 2,
     .reversals = 31},
    {"diurnal-60", 48, {LOAD_DIURNAL, .low = 0.5, .high = 5, .noise = 0.1}, .reversals = 3},
    {"diurnal-300", 48, {LOAD_DIURNAL, .low = 0.5, .high = 5, .noise = 0.1}, .wait = 300, .lower = 0.25, .reversals = 3},
    {"diurnal-window", 48, {LOAD_DIURNAL, .low = 0.5, .high = 3, .noise = 0.2}, .wait = 30, .lower = 0.4, .window = 1800,
     .reversals = 3},
    {"diurnal-max", 48, {LOAD_DIURNAL, .low = 0.5, .high = 4, .noise = 0.1}, .stat = "MAX", .window = 600, .reversals = 3},
    /* Three instances leave a band whose ends are as 2 to 3 for exactly the upper end of two: noise may turn that around. */
    {"diurnal-narrow", 48, {LOAD_DIURNAL, .low = 0.5, .high = 5, .noise = 0.1}, .wait = 300, .lower = 0.4, .reversals = 7},
};
const size_t n_scenarios = sizeof scenarios / sizeof scenarios[0];
