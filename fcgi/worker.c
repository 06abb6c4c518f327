/* One worker. It accepts connections itself and hands libfcgi open ones, so that it can wait for new connections,
 * for the next request on kept ones and for signals all at once: an idle kept connection never holds a worker. */
#include "fcgi/worker.h"

#include <errno.h>
#include <fcgiapp.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/secret.h"
#include "common/signals.h"
#include "fcgi/dispatch.h"
#include "fcgi/http_metrics.h"
#include "fcgi/problem.h"
#include "gen/api_statements.h"

/* Connections that nginx may keep open to one worker between requests. There is room for one more, which is closed after its
 * request: so there always is room for the next, and a listener that is readable is always served. */
#define KEPT_MAX 64
#define CONNECTIONS_MAX (KEPT_MAX + 1)
/* How long a peer may stall in the middle of a request. nginx has the whole request before it calls. What it may take for the whole
 * answer is the setting answer_deadline. */
#define STALL_SECONDS 60
#define EVENTS_MAX 16
/* What is larger than this goes back to the system when it is freed; glibc would learn from the first page of logs to keep such pieces. */
#define MALLOC_KEEP_BYTES (1 << 20)
/* The listener stays readable while no descriptor is to be had for the connection. */
#define ACCEPT_FAILED_MS 100

struct connection {
    FCGX_Request fcgi;
    struct connection *next; /* of the free ones */
};

struct worker {
    const struct api_settings *settings;
    struct db *db;
    int epoll_fd, listen_fd;
    struct connection connections[CONNECTIONS_MAX];
    struct connection *free; /* never NULL between two requests */
};

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void connection_release(struct worker *w, struct connection *c)
{
    FCGX_Free(&c->fcgi, 1);
    c->next = w->free;
    w->free = c;
}

static void answer(struct worker *w, struct connection *c)
{
    uint64_t sent_before = db_sent(w->db);
    struct request rq = {.db = w->db, .settings = w->settings, .started_us = now_us(), .long_read = SLOTS_FULL, .change = SLOTS_FULL, .change_of_service = SLOTS_FULL};
    request_open(&rq, &c->fcgi);
    dispatch(&rq);
    const char *status = rq.status != NULL ? rq.status : "200";
    int code = rq.problem.kind != PROBLEM_NONE ? problem_code(rq.problem.kind) : (int)strtol(status, NULL, 10);
    http_metrics_count(rq.route, code, now_us() - rq.started_us, db_sent(w->db) - sent_before);
    if (w->free == NULL)
        c->fcgi.keepConnection = 0;
    if (rq.broken) /* no proper end: the client must not take what it got for the whole */
        FCGX_Free(&c->fcgi, 1);
    else
        FCGX_Finish_r(&c->fcgi);
    dispatch_after(&rq);
    request_close(&rq);
    log_clear();
}

/* Answers the request that waits on the connection; keeps the connection if nginx asked for that. */
static void connection_serve(struct worker *w, struct connection *c, bool watched)
{
    if (FCGX_Accept_r(&c->fcgi) != 0) {
        connection_release(w, c); /* closed by the peer */
        return;
    }
    answer(w, c);
    if (c->fcgi.ipcFd < 0) {
        connection_release(w, c);
        return;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (!watched && epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, c->fcgi.ipcFd, &event) != 0) {
        log_error("epoll_ctl: %m");
        connection_release(w, c);
    }
}

/* Takes one new connection, if there still is one: another worker may have been faster. */
static bool listener_serve(struct worker *w)
{
    int fd = accept4(w->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
            log_error("accept: %m");
            signals_wait(-1, ACCEPT_FAILED_MS);
        }
        return false;
    }
    struct timeval stall = {.tv_sec = STALL_SECONDS};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &stall, sizeof stall);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &stall, sizeof stall);
    struct connection *c = w->free;
    w->free = c->next;
    /* No listening socket: libfcgi must never wait for a connection by itself. */
    FCGX_InitRequest(&c->fcgi, -1, 0);
    c->fcgi.ipcFd = fd;
    /* FCGX_Accept_r ends the request before, and would close the connection with it; the peer's wish overwrites this. */
    c->fcgi.keepConnection = 1;
    connection_serve(w, c, false);
    return true;
}

static bool worker_open(struct worker *w, int signal_fd)
{
    struct db_options options = {
        .conninfo = w->settings->database,
        .application_name = "skylark-api",
        .statements = api_statements,
        .n_statements = API__MAX,
        .connect_deadline_ms = w->settings->connect_deadline_ms,
        .query_deadline_ms = w->settings->query_deadline_ms,
    };
    mallopt(M_MMAP_THRESHOLD, MALLOC_KEEP_BYTES);
    if (FCGX_Init() != 0 || secret_init() != 0)
        return false;
    w->db = db_create(&options);
    w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event listener = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = w};
    struct epoll_event signals = {.events = EPOLLIN, .data.ptr = NULL};
    for (int i = 0; i < CONNECTIONS_MAX; i++) {
        w->connections[i].fcgi.ipcFd = -1;
        w->connections[i].next = w->free;
        w->free = &w->connections[i];
    }
    return w->db != NULL && w->epoll_fd >= 0 &&
           epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->listen_fd, &listener) == 0 &&
           epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, signal_fd, &signals) == 0;
}

static int worker_loop(struct worker *w)
{
    struct epoll_event events[EVENTS_MAX];
    while (loop_next()) {
        /* While requests queue up they are taken one after the other, without asking epoll each time. */
        if (listener_serve(w))
            continue;
        int n = epoll_wait(w->epoll_fd, events, EVENTS_MAX, -1);
        if (n < 0 && errno != EINTR) {
            log_error("epoll_wait: %m");
            return -1;
        }
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr != NULL && events[i].data.ptr != w)
                connection_serve(w, events[i].data.ptr, true);
        }
    }
    return 0;
}

int worker_run(const struct api_settings *settings, int listen_fd)
{
    struct worker *w = calloc(1, sizeof *w);
    int signal_fd = signals_descriptor(), status = 1;
    if (w == NULL || signal_fd < 0)
        return 1;
    w->settings = settings;
    w->listen_fd = listen_fd;
    w->epoll_fd = -1;
    if (worker_open(w, signal_fd)) {
        /* Connecting now spares the first request the wait; a database that is away is tried again then. */
        if (db_connect(w->db) != DB_OK)
            log_warning("serving 503 until PostgreSQL is there");
        status = worker_loop(w) == 0 ? 0 : 1;
    } else {
        log_error("the worker could not be set up: %m");
    }
    for (int i = 0; i < CONNECTIONS_MAX; i++) {
        if (w->connections[i].fcgi.ipcFd >= 0)
            FCGX_Free(&w->connections[i].fcgi, 1);
    }
    if (w->epoll_fd >= 0)
        close(w->epoll_fd);
    db_free(w->db);
    free(w);
    return status;
}
