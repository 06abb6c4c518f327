/* Clients that ask for much and read slowly: they hold up nobody else. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/http/suites.h"
#include "tests/lib/api.h"
#include "tests/lib/fastcgi.h"
#include "tests/lib/world.h"

#define PATH "/v1/services/madams/much/logs/"
/* What the page of an answer takes (LOG_PAGE_BYTES), and more lines than that. */
#define PAGE_BYTES (8 << 20)
#define LINES 600
#define LINE_BYTES 60000
#define READERS_MAX 256

static int readers[READERS_MAX], n_readers;

static void test_setup(void)
{
    CHECK(api_status("POST", "{\"service_name\":\"much\",\"image_name\":\"localhost/none\",\"target_state\":\"STOPPED\"}",
                     "/v1/services/madams/") == 201, "create");
    char *done = world_sql("WITH s AS (SELECT id FROM skylark.services WHERE name = 'much' AND deleted_at IS NULL), added AS ("
                           "INSERT INTO skylark.log_rows (service_id, logged_at, instance_id, seq, stream, message) "
                           "SELECT s.id, now() - interval '1 minute', s.id, n, 1, repeat('x', %d) FROM s, generate_series(1, %d) n "
                           "RETURNING 1) SELECT count(*) FROM added", LINE_BYTES, LINES);
    CHECK(atoi(done) == LINES, "%s", done);
    free(done);
}

/* The workers, as their pids in a row. */
static char *workers(void)
{
    int pids[128], n = world_children(world_pid("api"), pids, 128);
    char *text = calloc(1, 128 * 12);
    size_t len = 0;
    for (int i = 0; i < n && i < 128; i++)
        len += (size_t)sprintf(text + len, "%d ", pids[i]);
    return text;
}

static int count_words(const char *text)
{
    int n = 0;
    for (const char *at = text + strspn(text, " \n"); *at != '\0'; at += strspn(at, " \n")) {
        n++;
        at += strcspn(at, " \n");
    }
    return n;
}

static void answers_others(const char *when)
{
    struct http_call healthz = {.path = "/healthz"};
    struct answer a = api_call_once(&healthz);
    CHECK(a.status == 200, "%s: /healthz: %ld %s", when, a.status, a.raw.error);
    api_free(&a);
    CHECK(api_status("GET", NULL, "/v1/services/madams/much/") == 200, "%s: GET of a service", when);
}

/* However much there is, an answer has a bound, and leads to the rest. */
static void test_bounded(void)
{
    struct answer a = api("GET", NULL, PATH);
    char link[8192];
    CHECK(a.status == 200 && a.raw.body_len <= PAGE_BYTES && a.raw.body_len > PAGE_BYTES / 2, "%ld, %zu bytes", a.status, a.raw.body_len);
    CHECK(http_header(&a.raw, "Link", link, sizeof link) == 1, "no Link");
    CHECK(doc_len(a.json, "") < LINES && doc_len(a.json, "") > 100, "%d lines", (int)doc_len(a.json, ""));
    api_free(&a);
}

/* More of them than there are workers, through nginx, each reading a byte now and then. */
static void test_through_nginx(void)
{
    char request[1024], *pids = workers();
    int n = count_words(pids) + 4;
    struct http_slow *slow[READERS_MAX] = {0};
    free(pids);
    int len = snprintf(request, sizeof request, "GET " PATH " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Token %s\r\n\r\n", world.token);
    REQUIRE(n > 4 && n <= READERS_MAX, "%d readers", n);
    for (int i = 0; i < n; i++) {
        char *line = NULL;
        double end = 0;
        /* 429: the answers before are still on their way to nginx. */
        do {
            free(line);
            http_slow_close(slow[i]);
            slow[i] = http_slow_open(world.url, request, (size_t)len);
            line = slow[i] != NULL ? http_slow_read(slow[i], 12, 30) : NULL;
        } while (line != NULL && strcmp(line, "HTTP/1.1 429") == 0 && world_waiting(&end, 30));
        if (!CHECK(line != NULL && strcmp(line, "HTTP/1.1 200") == 0, "reader %d of %d: %s", i, n, line != NULL ? line : "no answer"))
            n = i + 1;
        free(line);
    }
    answers_others("while all read slowly");
    for (int i = 0; i < n; i++) {
        char *byte = slow[i] != NULL ? http_slow_read(slow[i], 1, 30) : NULL;
        CHECK(byte != NULL, "reader %d is cut off", i);
        free(byte);
    }
    answers_others("after a byte more");
    for (int i = 0; i < n; i++)
        http_slow_close(slow[i]);
}

/* Straight from the API's socket, where nobody buffers: a worker each, until their share is used up. */
static void reader_add(const char *token)
{
    char path[512];
    snprintf(path, sizeof path, "%s/run/api-socket/api.sock", world.var);
    int fd = fastcgi_connect(path);
    if (CHECK(fd >= 0 && n_readers < READERS_MAX && fastcgi_send(fd, "GET", PATH, token, NULL) && fastcgi_readable(fd, 60),
              "reader %d", n_readers))
        readers[n_readers++] = fd;
}

static void readers_close(void)
{
    while (n_readers > 0)
        close(readers[--n_readers]);
}

static void check_refused(const char *token, const char *path, long status)
{
    char after[16];
    struct answer a = api_as(token, "GET", NULL, "%s", path);
    check_problem(&a, status, path);
    CHECK(http_header(&a.raw, "Retry-After", after, sizeof after) == 1 && atoi(after) > 0, "Retry-After: %s", after);
    api_free(&a);
}

static void test_shares(void)
{
    static const char *const long_reads[] = {PATH, "/v1/services/madams/much/metrics/"};
    char *pids = workers();
    int share = count_words(pids) / 2, of_token = share / 2;
    free(pids);
    for (int i = 0; i < of_token; i++)
        reader_add(world.token);
    for (size_t i = 0; i < sizeof long_reads / sizeof long_reads[0]; i++) {
        check_refused(world.token, long_reads[i], 429);
        struct answer other = api_as(world.member_token, "GET", NULL, "%s", long_reads[i]);
        CHECK(other.status == 200, "another token: %ld", other.status);
        api_free(&other);
    }
    for (int i = of_token; i < share; i++)
        reader_add(world.read_token);
    check_refused(world.member_token, PATH, 503);
    answers_others("while the share is used up");
    readers_close();
    double end = 0;
    long status;
    while ((status = api_status("GET", NULL, PATH)) != 200 && world_waiting(&end, 30))
        ;
    CHECK(status == 200, "after they have gone: %ld", status);
}

/* Has the API run with these lines added to its settings, and waits until every worker does. */
static void settings_add(const char *lines)
{
    char *before = workers(), *now = NULL;
    bool old = true;
    free(world_shell(NULL, "cp %s/etc/api.conf %s/etc/api.conf.kept && echo '%s' >>%s/etc/api.conf && kill -HUP %d", world.var, world.var,
                     lines, world.var, world_pid("api")));
    for (double end = 0; old && world_waiting(&end, 60);) {
        free(now);
        now = workers();
        old = count_words(now) < 1 || count_words(now) != count_words(before);
        char *copy = strdup(before);
        for (char *rest = NULL, *pid = strtok_r(copy, " \n", &rest); pid != NULL; pid = strtok_r(NULL, " \n", &rest))
            old = old || strstr(now, pid) != NULL;
        free(copy);
    }
    CHECK(!old, "workers %s after %s", now != NULL ? now : "", before);
    free(before);
    free(now);
}

static void settings_restore(void)
{
    free(world_shell(NULL, "mv %s/etc/api.conf.kept %s/etc/api.conf && kill -HUP %d", world.var, world.var, world_pid("api")));
}

/* Whoever does not take the answer in time is cut off, and sees that it is not whole. */
static void test_deadline(void)
{
    settings_add("answer_deadline = 2s\nlong_reads = 1\nlong_reads_of_token = 1");
    reader_add(world.token);
    REQUIRE(n_readers == 1, "no reader");
    CHECK(api_status("GET", NULL, PATH "?page_size=1") == 503, "the only slot is free");
    /* Nothing is read until the worker has given up, which its slot tells by being free again. */
    long status;
    double waited = 0;
    while ((status = api_status("GET", NULL, PATH "?page_size=1")) != 200 && world_waiting(&waited, 60))
        ;
    CHECK(status == 200, "%ld", status);
    struct fastcgi_end end = fastcgi_drain(readers[0], 60);
    CHECK(end.closed && !end.finished, "closed %d, finished %d", end.closed, end.finished);
    CHECK(end.bytes > 0 && end.bytes < PAGE_BYTES / 2, "%zu bytes", end.bytes);
    readers_close();
    settings_restore();
    answers_others("after the deadline");
}

static void test_cleanup(void)
{
    CHECK(api_status("DELETE", NULL, "/v1/services/madams/much/") == 204, "delete");
}

const struct check_test tests_readers[] = {
    {"(a service that printed much)", test_setup}, {"an answer of logs is bounded", test_bounded},
    {"slow readers through nginx hold up nobody", test_through_nginx}, {"long reads have a share of the workers", test_shares},
    {"an answer that nobody takes is cut off", test_deadline}, {"(it goes)", test_cleanup}, {0},
};
