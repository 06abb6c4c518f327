/* The role that samples what instances use. */
#ifndef SKYLARK_COLLECTOR_SAMPLER_H
#define SKYLARK_COLLECTOR_SAMPLER_H

/* context: struct collector_settings. Runs until signals_stop(); returns an exit status. */
int sampler_run(void *context, int index);

#endif
