/* The socket on which nginx hands requests over. */
#ifndef SKYLARK_FCGI_LISTEN_H
#define SKYLARK_FCGI_LISTEN_H

#include "fcgi/settings.h"

/* Takes the socket from systemd, or makes it: unix:PATH (an old file of a dead process is replaced) or
 * ADDRESS:PORT. Non-blocking and close-on-exec. Returns -1 with the reason logged. */
int listen_open(const struct api_settings *settings) __attribute__((warn_unused_result));

/* Closes it; removes the unix socket's file if listen_open made it. */
void listen_close(int fd, const struct api_settings *settings);

#endif
