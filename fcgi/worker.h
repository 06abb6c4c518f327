/* One worker: takes connections from the shared socket and answers their requests, one at a time. */
#ifndef SKYLARK_FCGI_WORKER_H
#define SKYLARK_FCGI_WORKER_H

#include "fcgi/settings.h"

/* Runs until signals_stop(); a request that has begun is finished. Returns the exit status. */
int worker_run(const struct api_settings *settings, int listen_fd);

#endif
