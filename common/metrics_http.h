/* Shows a process's figures over HTTP, at /metrics, for Prometheus to fetch. libmicrohttpd does the HTTP. */
#ifndef SKYLARK_COMMON_METRICS_HTTP_H
#define SKYLARK_COMMON_METRICS_HTTP_H

/* Serves until signals_stop(). listen: ADDRESS:PORT, [ADDRESS]:PORT, or "" to serve nothing. A port that can't be had is logged
 * and tried again every few seconds: figures are not worth a service. Returns an exit status. */
int metrics_serve(const char *listen);

/* Returns 0 when the text is of that form, else -1 (logged): for a process to check its settings with. */
int metrics_listen_check(const char *listen) __attribute__((warn_unused_result));

#endif
