/* The two protocols by which systemd talks to a service: passed sockets and readiness. Both do nothing
 * when the process was not started by systemd. */
#ifndef SKYLARK_COMMON_SYSTEMD_H
#define SKYLARK_COMMON_SYSTEMD_H

/* The one listening socket that systemd passed (LISTEN_FDS), marked close-on-exec, or -1 when there is none. */
int systemd_listen_socket(void);

/* Sends a state such as "READY=1" to NOTIFY_SOCKET. */
void systemd_notify(const char *state);

#endif
