/* The role that follows the logs of all containers of the installation on one engine and stores them. */
#ifndef SKYLARK_COLLECTOR_FOLLOWER_H
#define SKYLARK_COLLECTOR_FOLLOWER_H

/* context: struct collector_settings. Runs until signals_stop(); returns an exit status. */
int follower_run(void *context, int index);

#endif
