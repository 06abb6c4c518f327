/* Counters that all workers share. */
#include "fcgi/http_metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "common/log.h"
#include "fcgi/problem.h"
#include "fcgi/route.h"

#define ROUTES_MAX 64 /* the last one counts requests of no route */

/* Every status that is ever answered. */
static const int statuses[] = {200, 201, 204, 400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 503};
#define N_STATUSES (sizeof statuses / sizeof statuses[0])

/* Upper bounds of the histogram, in microseconds. */
static const int64_t bounds[] = {500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 5000000};
#define N_BOUNDS (sizeof bounds / sizeof bounds[0])

struct counters {
    atomic_uint_least64_t requests[ROUTES_MAX][N_STATUSES];
    atomic_uint_least64_t took[ROUTES_MAX][N_BOUNDS + 1];
    atomic_uint_least64_t took_sum_us[ROUTES_MAX];
    atomic_uint_least64_t statements[ROUTES_MAX];
};

static struct counters *counters;

int http_metrics_open(void)
{
    void *map = mmap(NULL, sizeof *counters, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) {
        log_error("memory for counters: %m");
        return -1;
    }
    counters = map;
    return 0;
}

static size_t route_index(const struct route *route)
{
    size_t i = route != NULL ? (size_t)(route - routes) : ROUTES_MAX - 1;
    return i < ROUTES_MAX ? i : ROUTES_MAX - 1;
}

void http_metrics_count(const struct route *route, int status, int64_t microseconds, uint64_t n_statements)
{
    size_t r = route_index(route), s = 0, b = 0;
    /* First, so that whoever sees the request counted sees its statements counted, too. */
    atomic_fetch_add_explicit(&counters->statements[r], n_statements, memory_order_relaxed);
    while (s < N_STATUSES - 1 && statuses[s] != status)
        s++;
    while (b < N_BOUNDS && microseconds > bounds[b])
        b++;
    atomic_fetch_add_explicit(&counters->requests[r][s], 1, memory_order_release);
    atomic_fetch_add_explicit(&counters->took[r][b], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&counters->took_sum_us[r], (uint64_t)microseconds, memory_order_relaxed);
}

static void add_labels(struct buf *out, size_t r)
{
    static const char *const methods[HTTP_METHOD__MAX] = {
        [HTTP_GET] = "GET", [HTTP_POST] = "POST", [HTTP_PUT] = "PUT", [HTTP_DELETE] = "DELETE",
        [HTTP_OPTIONS] = "OPTIONS", [HTTP_OTHER] = "",
    };
    if (r < n_routes)
        buf_addf(out, "method=\"%s\",route=\"%s%s%s\"", methods[routes[r].method], routes[r].pattern,
                 routes[r].query != NULL ? "?" : "", routes[r].query != NULL ? routes[r].query : "");
    else
        buf_adds(out, "method=\"\",route=\"\"");
}

static void render_requests(struct buf *out)
{
    buf_adds(out, "# HELP skylark_http_requests_total Requests answered, by route and status.\n"
                  "# TYPE skylark_http_requests_total counter\n");
    for (size_t r = 0; r < ROUTES_MAX; r++) {
        for (size_t s = 0; s < N_STATUSES; s++) {
            uint64_t n = atomic_load_explicit(&counters->requests[r][s], memory_order_acquire);
            if (n == 0)
                continue;
            buf_adds(out, "skylark_http_requests_total{");
            add_labels(out, r);
            buf_addf(out, ",status=\"%d\"} %" PRIu64 "\n", statuses[s], n);
        }
    }
}

static void render_statements(struct buf *out)
{
    buf_adds(out, "# HELP skylark_http_statements_total Statements sent to PostgreSQL for requests, by route.\n"
                  "# TYPE skylark_http_statements_total counter\n");
    for (size_t r = 0; r < ROUTES_MAX; r++) {
        uint64_t n = atomic_load_explicit(&counters->statements[r], memory_order_relaxed);
        if (n == 0)
            continue;
        buf_adds(out, "skylark_http_statements_total{");
        add_labels(out, r);
        buf_addf(out, "} %" PRIu64 "\n", n);
    }
}

static void render_durations(struct buf *out)
{
    buf_adds(out, "# HELP skylark_http_request_duration_seconds How long requests took, by route.\n"
                  "# TYPE skylark_http_request_duration_seconds histogram\n");
    for (size_t r = 0; r < ROUTES_MAX; r++) {
        uint64_t total = 0;
        for (size_t b = 0; b <= N_BOUNDS; b++)
            total += atomic_load_explicit(&counters->took[r][b], memory_order_relaxed);
        if (total == 0)
            continue;
        uint64_t sum = 0;
        for (size_t b = 0; b <= N_BOUNDS; b++) {
            sum += atomic_load_explicit(&counters->took[r][b], memory_order_relaxed);
            buf_adds(out, "skylark_http_request_duration_seconds_bucket{");
            add_labels(out, r);
            if (b < N_BOUNDS)
                buf_addf(out, ",le=\"%g\"} %" PRIu64 "\n", (double)bounds[b] / 1e6, sum);
            else
                buf_addf(out, ",le=\"+Inf\"} %" PRIu64 "\n", sum);
        }
        buf_adds(out, "skylark_http_request_duration_seconds_sum{");
        add_labels(out, r);
        buf_addf(out, "} %.6f\n",
                 (double)atomic_load_explicit(&counters->took_sum_us[r], memory_order_relaxed) / 1e6);
        buf_adds(out, "skylark_http_request_duration_seconds_count{");
        add_labels(out, r);
        buf_addf(out, "} %" PRIu64 "\n", sum);
    }
}

void http_metrics_render(struct buf *out)
{
    render_requests(out);
    render_statements(out);
    render_durations(out);
}
