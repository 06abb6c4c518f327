/* What a request costs: by the answer, by /proc, by the API's own counters. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fcgi/problem.h"
#include "tests/hostile/hostile.h"
#include "tests/lib/api.h"
#include "tests/lib/world.h"

#define WORKERS_MAX 512
#define MEMORY_MAX_KIB (32 * 1024)

static struct {
    int pid;
    long start_kib;
} workers[WORKERS_MAX];
static size_t n_workers;

/* A line of /proc/PID/status, as a number; -1: the process is gone. */
static long status_of(int pid, const char *name)
{
    char path[64], line[256];
    long value = -1;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *f = fopen(path, "r");
    while (f != NULL && value < 0 && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
            value = strtol(line + strlen(name) + 1, NULL, 10);
    }
    if (f != NULL)
        fclose(f);
    return value;
}

/* From here on VmHWM is the peak since now. */
static bool reset_peak(int pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/clear_refs", pid);
    int fd = open(path, O_WRONLY);
    bool done = fd >= 0 && write(fd, "5", 1) == 1;
    if (fd >= 0)
        close(fd);
    return done;
}

/* Remembers the workers and the memory that they have now. */
static void cost_open(void)
{
    int master = world_pid("api");
    struct dirent *entry;
    DIR *proc = opendir("/proc");
    n_workers = 0;
    while (proc != NULL && (entry = readdir(proc)) != NULL) {
        int pid = atoi(entry->d_name);
        if (pid > 0 && status_of(pid, "PPid") == master && n_workers < WORKERS_MAX)
            workers[n_workers++].pid = pid;
    }
    if (proc != NULL)
        closedir(proc);
    CHECK(master > 0 && n_workers > 0, "the API is process %d and has %zu workers", master, n_workers);
    for (size_t i = 0; i < n_workers; i++) {
        CHECK(reset_peak(workers[i].pid), "the peak of worker %d can't be reset", workers[i].pid);
        workers[i].start_kib = status_of(workers[i].pid, "VmRSS");
    }
}

void hostile_begin(void)
{
    long status = api_status("POST", "{\"service_name\":\"" SERVICE "\",\"image_name\":\"localhost/none\",\"target_state\":\"STOPPED\"}",
                             "/v1/services/" SPACE "/");
    CHECK(status == 201 || status == 409, "create: %ld", status);
    if (n_workers == 0) /* what they had before all tests, not what earlier ones made them keep */
        cost_open();
}

void hostile_end(void)
{
    CHECK(api_status("DELETE", NULL, "/v1/services/" SPACE "/" SERVICE "/") == 204, "delete");
}

void cost_check_workers(const char *what)
{
    const char *sanitized = getenv("SAN");
    for (size_t i = 0; i < n_workers; i++) {
        long peak = status_of(workers[i].pid, "VmHWM");
        if (!CHECK(peak > 0, "%s: worker %d is gone", what, workers[i].pid))
            workers[i] = workers[--n_workers]; /* said once */
        /* A sanitizer keeps what was freed, so memory says nothing then. */
        else if (sanitized == NULL || sanitized[0] == '\0')
            CHECK(peak - workers[i].start_kib <= MEMORY_MAX_KIB, "%s: worker %d had %ld KiB and came to %ld KiB", what, workers[i].pid,
                  workers[i].start_kib, peak);
    }
}

struct counted {
    int64_t requests, statements;
};

/* The API's own counters for a route; NULL: for requests that it found none for. */
static struct counted counters_of(const struct route *route)
{
    static const char *const methods[HTTP_METHOD__MAX] = {
        [HTTP_GET] = "GET", [HTTP_POST] = "POST", [HTTP_PUT] = "PUT", [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS", [HTTP_OTHER] = ""};
    struct counted c = {0};
    struct buf label = {0};
    struct http_response r = http_do(&(struct http_call){.base = world.internal_url, .path = "/metrics"});
    if (route != NULL)
        buf_addf(&label, "{method=\"%s\",route=\"%s\"", methods[route->method], route->pattern);
    else
        buf_adds(&label, "{method=\"\",route=\"\"");
    for (const char *line = r.body; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
        static const char requests[] = "skylark_http_requests_total", statements[] = "skylark_http_statements_total";
        bool is_requests = strncmp(line, requests, sizeof requests - 1) == 0;
        const char *labels = is_requests                                                      ? line + sizeof requests - 1
                             : strncmp(line, statements, sizeof statements - 1) == 0 ? line + sizeof statements - 1
                                                                                              : NULL;
        if (labels == NULL || strncmp(labels, buf_text(&label), label.len) != 0)
            continue;
        const char *value = strstr(labels, "\"} "); /* a route has braces, too */
        int64_t n = value != NULL ? strtoll(value + 3, NULL, 10) : 0;
        *(is_requests ? &c.requests : &c.statements) += n;
    }
    CHECK(r.status == 200, "/metrics: %ld %s", r.status, r.error);
    buf_free(&label);
    http_free(&r);
    return c;
}

/* The counters once the request is counted, which happens after its answer. */
static struct counted counters_after(const struct route *route, int64_t requests_before)
{
    double end = 0;
    struct counted c;
    do
        c = counters_of(route);
    while (c.requests == requests_before && world_waiting(&end, 20));
    return c;
}

long cost_send(const struct route *route, const struct http_call *call, const struct cost_limits *limits, const char *what)
{
    struct counted before = counters_of(route);
    struct answer a = api_call(call);
    long status = a.status;
    CHECK(status >= limits->status_min && status <= limits->status_max, "%s: %ld %.300s %s", what, status, a.raw.body, a.raw.error);
    CHECK(limits->document || a.raw.body_len < PROBLEM_DOCUMENT_MAX, "%s: %zu bytes in, %zu bytes out: %.300s", what, call->body_len,
          a.raw.body_len, a.raw.body);
    if (status >= 400)
        check_problem(&a, status, what);
    if (status != 0 && strcmp(doc_text(a.json, "type"), "about:blank") != 0) { /* nginx's own */
        struct counted after = counters_after(route, before.requests);
        CHECK(after.requests == before.requests + 1, "%s: counted %" PRId64 " times", what, after.requests - before.requests);
        CHECK(after.statements - before.statements <= limits->statements_max, "%s: status %ld, %" PRId64 " statements, not %u", what, status,
              after.statements - before.statements, limits->statements_max);
    }
    api_free(&a);
    cost_check_workers(what);
    return status;
}
