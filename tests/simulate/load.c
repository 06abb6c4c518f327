/* Shapes of traffic. */
#include "tests/simulate/load.h"

#include <math.h>
#include <stdint.h>

/* The same number for the same time in every run, evenly between -1 and 1; the mixing is that of splitmix64. */
static double noise_at(int seconds)
{
    uint64_t x = ((uint64_t)seconds + 1) * 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return (double)((x ^ (x >> 31)) >> 11) / 4503599627370496.0 - 1;
}

double load_at(const struct load *load, int seconds)
{
    bool within = seconds >= load->from && seconds < load->until;
    switch (load->shape) {
    case LOAD_STEP:
        return within ? load->high : load->low;
    case LOAD_STAIRS: {
        int i = seconds / load->period;
        /* The last level lasts. */
        for (int k = 0; k <= i; k++)
            if (k == LEVELS_MAX || load->levels[k] == 0)
                i = k - 1;
        return load->levels[i];
    }
    case LOAD_SPIKES:
        return within && (seconds - load->from) % load->period < load->length ? load->high : load->low;
    case LOAD_SAWTOOTH:
        return load->low + (load->high - load->low) * (seconds % load->period) / load->period;
    case LOAD_DIURNAL: {
        double phase = 2 * M_PI * (seconds % 86400) / 86400;
        return (load->low + (load->high - load->low) * (1 - cos(phase)) / 2) * (1 + load->noise * noise_at(seconds));
    }
    }
    return 0;
}

const char *load_name(enum shape shape)
{
    static const char *const names[] = {
        [LOAD_STEP] = "step",         [LOAD_STAIRS] = "stairs",   [LOAD_SPIKES] = "spikes",
        [LOAD_SAWTOOTH] = "sawtooth", [LOAD_DIURNAL] = "diurnal",
    };
    return names[shape];
}
