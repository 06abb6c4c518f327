/* Follows the logs of all containers of the installation on one engine and stores them. */
#ifndef SKYLARK_COLLECTOR_COLLECT_H
#define SKYLARK_COLLECTOR_COLLECT_H

/* The supervisor's role. context: struct collector_settings. Runs until signals_stop(). Returns the exit status. */
int collect_run(void *context, int index);

#endif
