/* The nginx of this host. */
#include "router/front.h"

#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/signals.h"

#define PATH_SIZE 4200
/* Between two looks at whether nginx serves the new version. */
#define LOOK_MS 10
#define BEAT_MS 1000
#define SERVES_MS 2000
#define VERSION_HOST "routes.skylark.internal"

/* --- files --- */

static int write_file(const char *folder, const char *name, const struct buf *text, struct buf *fault)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    bool written = file != NULL && fwrite(buf_text(text), 1, text->len, file) == text->len;
    if (file != NULL && fclose(file) != 0)
        written = false;
    if (!written)
        buf_addf(fault, "%s can't be written: %s", path, strerror(errno));
    return written ? 0 : -1;
}

/* The folder of one version, with its files. */
static int version_write(const char *folder, const struct render_output *output, struct buf *fault)
{
    if (mkdir(folder, 0755) != 0 && errno != EEXIST) {
        buf_addf(fault, "%s can't be made: %s", folder, strerror(errno));
        return -1;
    }
    return write_file(folder, "http.conf", &output->http, fault) != 0 || write_file(folder, "stream.conf", &output->stream, fault) != 0 ||
                   write_file(folder, "ports", &output->ports, fault) != 0
               ? -1
               : 0;
}

/* Makes current another version's, in one step. */
static int current_set(const struct router_settings *s, const char *version, struct buf *fault)
{
    char fresh[PATH_SIZE], path[PATH_SIZE];
    snprintf(fresh, sizeof fresh, "%s/current.new", s->routes);
    snprintf(path, sizeof path, "%s/current", s->routes);
    unlink(fresh);
    if (symlink(version, fresh) == 0 && rename(fresh, path) == 0)
        return 0;
    buf_addf(fault, "%s can't be replaced: %s", path, strerror(errno));
    return -1;
}

/* Which version current is; "" for none. */
static void current_get(const struct router_settings *s, char *version, size_t size)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/current", s->routes);
    ssize_t n = readlink(path, version, size - 1);
    version[n > 0 ? n : 0] = '\0';
}

/* Removes all versions but the one that is served. */
static void versions_tidy(const struct router_settings *s, const char *keep)
{
    static const char *const files[] = {"http.conf", "stream.conf", "ports"};
    DIR *dir = opendir(s->routes);
    char path[PATH_SIZE];
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        if (strlen(e->d_name) != RENDER_VERSION_SIZE - 1 || strcmp(e->d_name, keep) == 0)
            continue;
        for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
            snprintf(path, sizeof path, "%s/%s/%s", s->routes, e->d_name, files[i]);
            unlink(path);
        }
        snprintf(path, sizeof path, "%s/%s", s->routes, e->d_name);
        rmdir(path);
    }
    if (dir != NULL)
        closedir(dir);
}

/* --- the test --- */

/* In the child: a view of the file system of its own, in which current is already the new version. */
static int private_view(const char *current, const char *fresh)
{
    int flags = CLONE_NEWNS;
    uid_t uid = geteuid();
    if (uid != 0)
        flags |= CLONE_NEWUSER;
    if (unshare(flags) != 0)
        return -1;
    if (uid != 0) {
        char line[40];
        int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC), n = snprintf(line, sizeof line, "%d %d 1", (int)uid, (int)uid);
        if (fd < 0 || write(fd, line, (size_t)n) != n)
            return -1;
        close(fd);
    }
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return -1;
    return mount(fresh, current, NULL, MS_BIND, NULL);
}

static void test_child(const struct router_settings *s, const char *current, const char *fresh, int out)
{
    sigset_t none;
    const char *const words[] = {s->nginx, "-t", "-q", "-e", "stderr", "-c", s->nginx_conf,
                                 s->nginx_prefix[0] != '\0' ? "-p" : NULL, s->nginx_prefix, NULL};
    int null = open("/dev/null", O_RDWR);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    if (private_view(current, fresh) != 0)
        dprintf(STDERR_FILENO, "the test has no view of the files of its own: %s\n", strerror(errno));
    else if (execv(s->nginx, (char *const *)words) != 0)
        dprintf(STDERR_FILENO, "%s: %s\n", s->nginx, strerror(errno));
    _exit(127);
}

/* Reads until the child closes its end or the deadline has passed. */
static bool read_all(int fd, int64_t deadline_ms, const struct front_beat *beat, struct buf *text)
{
    char piece[4096];
    for (;;) {
        int64_t left = deadline_ms - clock_monotonic_ms();
        loop_count();
        if (left <= 0)
            return false;
        if (!signals_wait(fd, left < BEAT_MS ? (int)left : BEAT_MS)) {
            beat->call(beat->context);
            continue;
        }
        ssize_t n = read(fd, piece, sizeof piece);
        if (n <= 0)
            return true;
        buf_add(text, piece, (size_t)n);
    }
}

/* nginx's first complaint, without time and pid. */
static void first_complaint(const char *text, struct buf *fault)
{
    const char *at = strstr(text, "[emerg]");
    at = at != NULL ? at + strlen("[emerg]") : text;
    const char *colon = strstr(at, ": ");
    if (at != text && colon != NULL && strspn(at, " 0123456789#") == (size_t)(colon - at))
        at = colon + 2;
    buf_add(fault, at, strcspn(at, "\n"));
}

/* Whether nginx takes its whole configuration with the new version in the place of the present one. */
static bool test(const struct router_settings *s, const char *current, const char *fresh, const struct front_beat *beat,
                 struct buf *fault)
{
    int ends[2], status = -1;
    struct buf words = {0};
    if (pipe2(ends, O_CLOEXEC) != 0) {
        buf_addf(fault, "pipe: %s", strerror(errno));
        return false;
    }
    pid_t pid = fork();
    if (pid == 0)
        test_child(s, current, fresh, ends[1]);
    close(ends[1]);
    bool ended = pid > 0 && read_all(ends[0], clock_monotonic_ms() + s->nginx_deadline_ms, beat, &words);
    if (pid > 0 && !ended)
        kill(pid, SIGKILL);
    if (pid > 0)
        waitpid(pid, &status, 0);
    close(ends[0]);
    bool good = ended && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!good && ended) {
        buf_adds(fault, "nginx refuses the new routes: ");
        first_complaint(buf_text(&words), fault);
    } else if (!good) {
        buf_adds(fault, "nginx gave no answer to the test of the new routes");
    }
    buf_free(&words);
    return good;
}

/* --- loading --- */

static size_t take(char *data, size_t size, size_t n, void *context)
{
    buf_add(context, data, size * n);
    return size * n;
}

/* Whether nginx says that it serves that version. */
static bool nginx_says(const struct router_settings *s, const char *version)
{
    struct buf answer = {0};
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Host: " VERSION_HOST);
    curl_easy_setopt(curl, CURLOPT_URL, s->version_url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)SERVES_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    /* A connection of its own: a kept one would stay with a worker that is on its way out. */
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    bool same = curl_easy_perform(curl) == CURLE_OK && strcmp(buf_text(&answer), version) == 0;
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    buf_free(&answer);
    return same;
}

bool front_serves(const struct router_settings *s, const char *version)
{
    char current[RENDER_VERSION_SIZE + 8];
    current_get(s, current, sizeof current);
    return strcmp(current, version) == 0 && nginx_says(s, version);
}

static size_t command_line(pid_t pid, char *out, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    FILE *file = fopen(path, "re");
    size_t n = file != NULL ? fread(out, 1, size - 1, file) : 0;
    if (file != NULL)
        fclose(file);
    out[n] = '\0';
    return n;
}

/* The pid of nginx's master; 0 when it does not run. A file that a dead one left may name anybody by now. */
static pid_t nginx_pid(const struct router_settings *s)
{
    static const char title[] = "nginx: master process";
    char line[128];
    FILE *file = fopen(s->nginx_pid, "re");
    int pid = 0;
    if (file == NULL || fscanf(file, "%d", &pid) != 1)
        pid = 0;
    if (file != NULL)
        fclose(file);
    return pid > 1 && command_line(pid, line, sizeof line) > 0 && strncmp(line, title, strlen(title)) == 0 ? pid : 0;
}

#define WORKERS_MAX 4096

/* The master's worker processes, as far as the kernel tells. Returns how many. */
static size_t workers_of(pid_t master, pid_t *pids, size_t most)
{
    char path[64];
    size_t n = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)master, (int)master);
    FILE *file = fopen(path, "re");
    while (file != NULL && n < most && fscanf(file, "%d", &pids[n]) == 1)
        n++;
    if (file != NULL)
        fclose(file);
    return n;
}

/* Whether a worker still takes new connections: one that is told to end says otherwise in its title, then closes its
 * listeners. */
static bool worker_accepts(pid_t pid)
{
    char title[128];
    return command_line(pid, title, sizeof title) > 0 && strstr(title, "shutting down") == NULL;
}

int front_old_workers(const struct router_settings *s)
{
    pid_t master = nginx_pid(s), pids[WORKERS_MAX];
    size_t n = master > 0 ? workers_of(master, pids, WORKERS_MAX) : 0;
    int old = 0;
    for (size_t i = 0; i < n; i++)
        old += !worker_accepts(pids[i]);
    return old;
}

/* Has nginx load its configuration, and waits until every new connection is served by that version. */
static int load(const struct router_settings *s, const char *version, const struct front_beat *beat, struct buf *fault)
{
    pid_t pid = nginx_pid(s), old[WORKERS_MAX];
    size_t n_old = pid > 0 ? workers_of(pid, old, WORKERS_MAX) : 0;
    if (pid == 0 || kill(pid, SIGHUP) != 0) {
        buf_addf(fault, "nginx does not run (%s)", s->nginx_pid);
        return -1;
    }
    int64_t deadline = clock_monotonic_ms() + s->nginx_deadline_ms;
    while (!nginx_says(s, version)) {
        if (clock_monotonic_ms() >= deadline) {
            buf_adds(fault, "nginx did not take up the new routes; its error log says why");
            return -1;
        }
        loop_count();
        signals_wait(-1, LOOK_MS);
        beat->call(beat->context);
    }
    /* For a moment old workers take connections beside the new ones. */
    for (size_t i = 0; i < n_old; i++) {
        while (worker_accepts(old[i]) && clock_monotonic_ms() < deadline)
            signals_wait(-1, LOOK_MS);
    }
    return 0;
}

int front_apply(const struct router_settings *s, const struct render_output *output, const struct front_beat *beat,
                struct buf *fault)
{
    char fresh[PATH_SIZE], current[PATH_SIZE], before[RENDER_VERSION_SIZE + 8];
    snprintf(fresh, sizeof fresh, "%s/%s", s->routes, output->version);
    snprintf(current, sizeof current, "%s/current", s->routes);
    if (mkdir(s->routes, 0755) != 0 && errno != EEXIST) {
        buf_addf(fault, "%s can't be made: %s", s->routes, strerror(errno));
        return -1;
    }
    if (version_write(fresh, output, fault) != 0)
        return -1;
    current_get(s, before, sizeof before);
    if (before[0] == '\0') { /* something for the test to put the new version over */
        snprintf(before, sizeof before, "none");
        snprintf(current, sizeof current, "%s/none", s->routes);
        if ((mkdir(current, 0755) != 0 && errno != EEXIST) || current_set(s, before, fault) != 0)
            return -1;
        snprintf(current, sizeof current, "%s/current", s->routes);
    }
    if (!test(s, current, fresh, beat, fault) || current_set(s, output->version, fault) != 0)
        return -1;
    if (load(s, output->version, beat, fault) != 0) {
        /* What the files say is what nginx serves, or would if it were started now. */
        if (nginx_pid(s) > 0 && current_set(s, before, fault) != 0)
            log_warning("%s", buf_text(fault));
        return -1;
    }
    versions_tidy(s, output->version);
    return 0;
}

/* --- ports --- */

static bool port_is_ours(const struct router_settings *s, const char *protocol, int port)
{
    char path[PATH_SIZE], wanted[32], line[64];
    bool found = false;
    snprintf(path, sizeof path, "%s/current/ports", s->routes);
    snprintf(wanted, sizeof wanted, "%s %d\n", protocol, port);
    FILE *file = fopen(path, "re");
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
        found = strcmp(line, wanted) == 0;
    if (file != NULL)
        fclose(file);
    return found;
}

bool front_port_free(const struct router_settings *s, const char *protocol, int port)
{
    char text[16];
    const int on = 1;
    struct addrinfo *found, hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                     .ai_socktype = strcmp(protocol, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM};
    if (port_is_ours(s, protocol, port))
        return true;
    snprintf(text, sizeof text, "%d", port);
    if (getaddrinfo(s->stream_listen, text, &hints, &found) != 0)
        return true; /* nginx will say what is wrong with the address */
    int fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on); /* as nginx does */
    bool taken = fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) != 0 && errno == EADDRINUSE;
    /* A listener of somebody else who set SO_REUSEADDR as well shows only when one listens. */
    if (fd >= 0 && !taken && hints.ai_socktype == SOCK_STREAM)
        taken = listen(fd, 1) != 0 && errno == EADDRINUSE;
    if (fd >= 0)
        close(fd);
    freeaddrinfo(found);
    return !taken;
}
