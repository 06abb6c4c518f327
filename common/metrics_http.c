/* Shows a process's figures over HTTP. */
#include "common/metrics_http.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/listen_address.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/metrics.h"
#include "common/signals.h"

#define RETRY_MS 1000
/* So many tries are no news: a process that ends, or is replaced, may still listen. */
#define QUIET_TRIES 10
#define CONNECTIONS_MAX 16
#define CONNECTION_SECONDS 10

int metrics_listen_check(const char *listen)
{
    struct sockaddr_storage address;
    if (listen[0] == '\0' || listen_address_parse(listen, &address))
        return 0;
    log_error("metrics_listen: \"%s\" is not ADDRESS:PORT", listen);
    return -1;
}

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, const char *type, const char *text, size_t len)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(len, (void *)text, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *data_len, void **state)
{
    static const char not_found[] = "Only /metrics is here.\n", not_allowed[] = "Only GET and HEAD.\n";
    (void)context, (void)version, (void)data, (void)state;
    if (*data_len > 0) { /* a body that nobody wants */
        *data_len = 0;
        return MHD_YES;
    }
    if (strcmp(url, "/metrics") != 0)
        return reply(connection, MHD_HTTP_NOT_FOUND, "text/plain", not_found, sizeof not_found - 1);
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return reply(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain", not_allowed, sizeof not_allowed - 1);
    struct buf out = {0};
    metrics_render(&out);
    loop_render(&out);
    enum MHD_Result result = MHD_NO;
    if (!out.failed)
        result = reply(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", buf_text(&out), out.len);
    buf_free(&out);
    return result;
}

int metrics_serve(const char *listen)
{
    struct sockaddr_storage address;
    struct MHD_Daemon *daemon = NULL;
    int tries = 0;
    if (listen[0] != '\0' && !listen_address_parse(listen, &address))
        return 1;
    while (loop_next()) {
        if (daemon == NULL && listen[0] != '\0') {
            daemon = MHD_start_daemon(MHD_USE_EPOLL | (address.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0), 0, NULL, NULL, answer,
                                      NULL, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_CONNECTION_LIMIT,
                                      (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_SECONDS, MHD_OPTION_END);
            tries = daemon == NULL ? tries + 1 : 0;
            if (tries == QUIET_TRIES)
                log_warning("figures are not shown: %s can't be listened on", listen);
        }
        if (daemon == NULL) {
            signals_wait(-1, listen[0] != '\0' ? RETRY_MS : -1);
            continue;
        }
        const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
        MHD_UNSIGNED_LONG_LONG ms;
        int wait = MHD_get_timeout(daemon, &ms) == MHD_YES ? (int)(ms < 60000 ? ms : 60000) : -1;
        signals_wait(info->epoll_fd, wait);
        if (MHD_run(daemon) != MHD_YES)
            signals_wait(-1, 100);
    }
    if (daemon != NULL)
        MHD_stop_daemon(daemon);
    return 0;
}
