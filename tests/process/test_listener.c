/* The FastCGI listener of a worker, spoken to as nginx does, with more kept connections than it keeps. No database is there, and
 * /healthz needs none. */
#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/signals.h"
#include "fcgi/http_metrics.h"
#include "fcgi/settings.h"
#include "fcgi/worker.h"
#include "tests/lib/check.h"
#include "tests/process/suites.h"

#define KEPT_MAX 64
#define CONNECTIONS 80
#define ANSWER_MS 60000
#define LOOK_MS 300
/* A loop that spins has hundreds of thousands in LOOK_MS. */
#define ITERATIONS_MOST 50

enum { FCGI_BEGIN = 1, FCGI_END = 3, FCGI_PARAMETERS = 4, FCGI_INPUT = 5, FCGI_HEADER = 8, FCGI_ROLE_RESPONDER = 1, FCGI_KEEP = 1 };

struct listener {
    char folder[32];
    struct sockaddr_un address;
    pid_t pid;
};

static bool listener_start(struct listener *l)
{
    static const char *const roles[] = {"worker", NULL};
    *l = (struct listener){.folder = "/tmp/skylark-listener.XXXXXX", .address.sun_family = AF_UNIX};
    if (!CHECK(mkdtemp(l->folder) != NULL, "mkdtemp"))
        return false;
    snprintf(l->address.sun_path, sizeof l->address.sun_path, "%s/s", l->folder);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool ready = fd >= 0 && bind(fd, (struct sockaddr *)&l->address, sizeof l->address) == 0 && listen(fd, 256) == 0 &&
                 http_metrics_open() == 0 && loop_open(roles) == 0;
    fflush(stdout);
    l->pid = ready ? fork() : -1;
    if (l->pid == 0) {
        char database[] = "host=/nonexistent";
        struct api_settings settings = {.database = database, .connect_deadline_ms = 100, .query_deadline_ms = 100, .body_limit = 1 << 20};
        log_open("test-listener", LOG_LEVEL__MAX);
        loop_enter(0);
        _exit(signals_open(SIGNALS_STOP) < 0 ? 1 : worker_run(&settings, fd));
    }
    close(fd);
    return CHECK(ready && l->pid > 0, "the listener was not started");
}

static void listener_stop(struct listener *l)
{
    int status = -1;
    kill(l->pid, SIGTERM);
    alarm(60); /* a worker that does not end ends the test */
    waitpid(l->pid, &status, 0);
    alarm(0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
    unlink(l->address.sun_path);
    rmdir(l->folder);
}

static int caller_connect(const struct listener *l)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&l->address, sizeof l->address) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static size_t record(unsigned char *out, int type, const void *content, size_t len)
{
    memcpy(out, (unsigned char[]){1, (unsigned char)type, 0, 1, (unsigned char)(len >> 8), (unsigned char)len, 0, 0}, FCGI_HEADER);
    memcpy(out + FCGI_HEADER, content, len);
    return FCGI_HEADER + len;
}

static size_t parameter(unsigned char *out, const char *name, const char *value)
{
    size_t n = strlen(name), v = strlen(value);
    out[0] = (unsigned char)n;
    out[1] = (unsigned char)v;
    memcpy(out + 2, name, n);
    memcpy(out + 2 + n, value, v);
    return 2 + n + v;
}

/* Sends GET /healthz that asks for the connection to be kept. */
static bool caller_ask(int fd)
{
    unsigned char all[1024], parameters[512];
    size_t n = 0, p = 0;
    p += parameter(parameters + p, "REQUEST_METHOD", "GET");
    p += parameter(parameters + p, "REQUEST_URI", "/healthz");
    p += parameter(parameters + p, "SKYLARK_LISTENER", "public");
    n += record(all + n, FCGI_BEGIN, (unsigned char[]){0, FCGI_ROLE_RESPONDER, FCGI_KEEP, 0, 0, 0, 0, 0}, 8);
    n += record(all + n, FCGI_PARAMETERS, parameters, p);
    n += record(all + n, FCGI_PARAMETERS, "", 0);
    n += record(all + n, FCGI_INPUT, "", 0);
    return send(fd, all, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static bool read_exactly(int fd, unsigned char *out, size_t n)
{
    while (n > 0) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t got = poll(&p, 1, ANSWER_MS) > 0 ? read(fd, out, n) : -1;
        if (got <= 0)
            return false;
        out += got;
        n -= (size_t)got;
    }
    return true;
}

/* Whether a whole answer came that says it is alive. */
static bool caller_answered(int fd)
{
    unsigned char header[FCGI_HEADER], content[65536 + 256];
    bool alive = false;
    while (read_exactly(fd, header, sizeof header)) {
        size_t len = (size_t)(header[4] << 8 | header[5]);
        if (!read_exactly(fd, content, len + header[6]))
            return false;
        content[len] = '\0';
        if (header[1] == FCGI_END)
            return alive;
        alive = alive || strstr((char *)content, "alive") != NULL;
    }
    return false;
}

/* Whether the peer has closed it; waits for that, up to ms. */
static bool caller_closed(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char byte;
    return poll(&p, 1, ms) > 0 && recv(fd, &byte, 1, MSG_PEEK) == 0;
}

static long iterations(void)
{
    struct buf text = {0};
    loop_render(&text);
    const char *at = strstr(buf_text(&text), "{role=\"worker\"} ");
    long n = at != NULL ? strtol(at + strlen("{role=\"worker\"} "), NULL, 10) : -1;
    buf_free(&text);
    return n;
}

/* Looks at the worker while nobody asks it anything. */
static void check_idle(const char *when)
{
    long before = iterations();
    usleep(LOOK_MS * 1000); /* what is measured is this time itself */
    long n = iterations() - before;
    CHECK(before > 0 && n <= ITERATIONS_MOST, "%s: %ld iterations in %d ms", when, n, LOOK_MS);
}

static void test_kept(void)
{
    struct listener l;
    int fds[CONNECTIONS], kept = 0;
    if (!listener_start(&l))
        return;
    for (int i = 0; i < CONNECTIONS; i++) {
        fds[i] = caller_connect(&l);
        if (!CHECK(fds[i] >= 0 && caller_ask(fds[i]) && caller_answered(fds[i]), "connection %d gets no answer", i + 1)) {
            /* Not answered, it waits: the worker must wait, too. */
            check_idle("with one connection too many");
            for (int n = 0; n <= i && (n <= KEPT_MAX || n == i); n++)
                close(fds[n]);
            listener_stop(&l);
            return;
        }
        if (i >= KEPT_MAX) {
            CHECK(caller_closed(fds[i], ANSWER_MS), "connection %d is kept", i + 1);
            close(fds[i]);
        }
    }
    check_idle("with all kept");
    for (int i = 0; i < KEPT_MAX; i++)
        kept += !caller_closed(fds[i], 0) && caller_ask(fds[i]) && caller_answered(fds[i]);
    CHECK(kept == KEPT_MAX, "%d of %d kept connections serve a second request", kept, KEPT_MAX);
    /* When one goes, another is kept in its place. */
    close(fds[0]);
    bool replaced = false;
    for (int64_t end = clock_monotonic_ms() + ANSWER_MS; !replaced && clock_monotonic_ms() < end;) {
        fds[0] = caller_connect(&l);
        CHECK(fds[0] >= 0 && caller_ask(fds[0]) && caller_answered(fds[0]), "a new connection gets no answer");
        replaced = !caller_closed(fds[0], 100);
        if (!replaced)
            close(fds[0]);
    }
    CHECK(replaced, "no place became free");
    check_idle("with all kept again");
    for (int i = 0; i < KEPT_MAX; i++)
        close(fds[i]);
    listener_stop(&l);
}

/* No descriptor is left for a connection that waits: the listener stays readable, and the worker does not spin. */
static void test_no_descriptors(void)
{
    struct listener l;
    struct rlimit before, none;
    if (!listener_start(&l))
        return;
    int fd = caller_connect(&l);
    CHECK(fd >= 0 && caller_ask(fd) && caller_answered(fd), "no answer");
    prlimit(l.pid, RLIMIT_NOFILE, NULL, &before);
    none = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
    CHECK(prlimit(l.pid, RLIMIT_NOFILE, &none, NULL) == 0, "prlimit");
    int waiting = caller_connect(&l);
    CHECK(waiting >= 0 && caller_ask(waiting), "connect");
    check_idle("without descriptors");
    CHECK(prlimit(l.pid, RLIMIT_NOFILE, &before, NULL) == 0, "prlimit");
    CHECK(caller_answered(waiting), "no answer after descriptors came back");
    close(fd);
    close(waiting);
    listener_stop(&l);
}

void suite_listener(void)
{
    CU_pSuite suite = CU_add_suite("listener", NULL, NULL);
    CU_add_test(suite, "kept connections, and more of them than are kept", test_kept);
    CU_add_test(suite, "no descriptors for a connection", test_no_descriptors);
}
