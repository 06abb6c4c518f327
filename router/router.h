/* The role that keeps one front right: loads the routes when they change, has nginx serve them, and says so. */
#ifndef SKYLARK_ROUTER_ROUTER_H
#define SKYLARK_ROUTER_ROUTER_H

/* For the supervisor; context: struct router_settings. Returns the exit status. */
int router_run(void *context, int index);

#endif
