/* Shapes of traffic, as load tests are published with: how much work comes in at a time, in units of what one instance
 * can do. Pure, so that every run sees the same. */
#ifndef SKYLARK_TESTS_SIMULATE_LOAD_H
#define SKYLARK_TESTS_SIMULATE_LOAD_H

#include <stdbool.h>

#define LEVELS_MAX 12

enum shape {
    LOAD_STEP,     /* low, from `from` to `until` high, then low again: the step response of control theory */
    LOAD_STAIRS,   /* one level after the other, each for `period` seconds: the staircase of a capacity test */
    LOAD_SPIKES,   /* low, and from `from` to `until` high for `length` seconds of every `period`: flash crowds, batch jobs */
    LOAD_SAWTOOTH, /* climbs from low to high over each `period` and falls at once: a ramp test, or a queue that is drained */
    LOAD_DIURNAL,  /* a sine over 24 hours, lowest at midnight, with noise: what sites with human visitors see */
};

struct load {
    enum shape shape;
    double low, high;
    int from, until, period, length;
    double noise; /* LOAD_DIURNAL: at the most this part of the load, more or less */
    double levels[LEVELS_MAX]; /* LOAD_STAIRS: up to one that is 0 */
};

/* `seconds` since the simulation began. */
double load_at(const struct load *load, int seconds);

const char *load_name(enum shape shape);

#endif
