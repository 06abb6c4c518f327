/* Idle processes use no CPU, and no loop iterates without cause: after every configuration was loaded anew, routes changed and
 * an image was pulled. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/e2e.h"

#define WINDOW_SECONDS 10
/* Of one process in a window: 0.5 % of a core. The kernel counts in ticks of 10 ms. */
#define CPU_MOST_MS (WINDOW_SECONDS * 1000 / 200)
/* Of one role, all its processes together, in a window. At rest the busiest role has some 5 a second; a loop without cause has
 * thousands. */
#define ITERATIONS_MOST (WINDOW_SECONDS * 30)
/* What was begun before goes on for a while; a window that is quiet must come within this. */
#define QUIET_SECONDS 180

#define PIDS_MAX 512
#define COUNTERS_MAX 32

static const struct {
    const char *name;
    int port; /* from that of the API's /metrics */
    const char *roles; /* that it must have counters of */
} processes[] = {
    {.name = "api", .port = 0, .roles = "worker master"},
    {.name = "deployer", .port = 1, .roles = "watcher reconciler puller metrics master"},
    {.name = "collector", .port = 2, .roles = "follower sampler metrics master"},
    {.name = "autoscaler", .port = 3, .roles = "evaluator metrics master"},
    {.name = "router", .port = 4, .roles = "router metrics master"},
};
#define N_PROCESSES (sizeof processes / sizeof processes[0])

struct pids {
    int n;
    struct {
        int pid;
        char name[32];
        long ms; /* of CPU, its own and that of children it has waited for; -1: it has ended */
    } items[PIDS_MAX];
};

/* Reads /proc/PID/stat. Returns the parent's pid, 0 when there is no such process, or it is a zombie. */
static int stat_read(int pid, char *name, size_t size, long *ms)
{
    char path[64], text[1024], state;
    unsigned long user, system, children_user, children_system;
    int parent = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "re");
    size_t n = f != NULL ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f != NULL)
        fclose(f);
    text[n] = '\0';
    char *begin = strchr(text, '('), *end = strrchr(text, ')');
    if (begin == NULL || end == NULL ||
        sscanf(end + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu", &state, &parent, &user, &system, &children_user,
               &children_system) != 6 || state == 'Z')
        return 0;
    *end = '\0';
    snprintf(name, size, "%s", begin + 1);
    *ms = (long)(user + system + children_user + children_system) * 1000 / sysconf(_SC_CLK_TCK);
    return parent;
}

static void pids_add(struct pids *pids, int pid, const char *name, long ms)
{
    if (pids->n == PIDS_MAX)
        return;
    pids->items[pids->n].pid = pid;
    pids->items[pids->n].ms = ms;
    snprintf(pids->items[pids->n++].name, sizeof pids->items[0].name, "%s", name);
}

/* A master and its children. */
static void pids_of(struct pids *pids, const char *process)
{
    char name[32];
    long ms;
    int master = world_pid(process);
    bool there = CHECK(master > 0 && stat_read(master, name, sizeof name, &ms) > 0, "%s does not run", process);
    DIR *dir = there ? opendir("/proc") : NULL;
    if (there)
        pids_add(pids, master, name, ms);
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        int pid = atoi(e->d_name);
        if (pid > 0 && stat_read(pid, name, sizeof name, &ms) == master)
            pids_add(pids, pid, name, ms);
    }
    if (dir != NULL)
        closedir(dir);
}

static void pids_all(struct pids *pids)
{
    *pids = (struct pids){0};
    for (size_t i = 0; i < N_PROCESSES; i++)
        pids_of(pids, processes[i].name);
}

static bool pids_have(const struct pids *pids, int pid)
{
    for (int i = 0; i < pids->n; i++) {
        if (pids->items[i].pid == pid)
            return true;
    }
    return false;
}

struct counters {
    int n;
    struct {
        const char *process;
        char role[32];
        long iterations;
    } items[COUNTERS_MAX];
};

static void counters_read(struct counters *counters)
{
    static const char line[] = "\nskylark_loop_iterations_total{role=\"";
    int port = atoi(strrchr(world.internal_url, ':') + 1);
    *counters = (struct counters){0};
    for (size_t i = 0; i < N_PROCESSES; i++) {
        char base[64];
        snprintf(base, sizeof base, "http://127.0.0.1:%d", port + processes[i].port);
        struct answer a = api_call(&(struct http_call){.base = base, .path = "/metrics"});
        for (const char *at = a.raw.body; (at = strstr(at, line)) != NULL && counters->n < COUNTERS_MAX;) {
            at += strlen(line);
            counters->items[counters->n].process = processes[i].name;
            if (sscanf(at, "%31[^\"]\"} %ld", counters->items[counters->n].role, &counters->items[counters->n].iterations) == 2)
                counters->n++;
        }
        api_free(&a);
    }
}

/* Everything that made the loops of old spin: nginx -t, a reload of nginx, a pull, the end of children. */
static void test_changes(void)
{
    static struct pids before, now;
    settings_usual(true);
    pids_all(&before);
    for (size_t i = 0; i < N_PROCESSES; i++)
        kill(world_pid(processes[i].name), SIGHUP);
    int old = 1;
    for (double end = 0; old > 0 && world_waiting(&end, 120);) {
        pids_all(&now);
        old = 0;
        for (int i = 0; i < now.n; i++)
            old += strncmp(now.items[i].name, "sky-", 4) == 0 && pids_have(&before, now.items[i].pid);
        if (now.n < before.n)
            old = 1; /* the new ones are not all there */
    }
    CHECK(old == 0, "%d children go on after a reload", old);
    /* The reload comes first: what these leave behind must not end with the process that has it. */
    if (!service_create_of("team/web:v3", "idle", 1, ",\"instance_ports\":[{\"container_port\":80,\"endpoint_type\":\"http-endpoint\"}]") ||
        !service_runs("madams", "idle", 1, 120))
        return;
    service_delete("idle");
}

/* What was too busy between the two, as text; "" for nothing. */
static void busy(const struct pids *before, const struct pids *after, const struct counters *from, const struct counters *to, char *text,
                 size_t size)
{
    size_t len = 0;
    text[0] = '\0';
    for (int i = 0; i < after->n && len < size; i++) {
        long used = after->items[i].ms;
        for (int b = 0; b < before->n; b++)
            used -= before->items[b].pid == after->items[i].pid ? before->items[b].ms : 0;
        if (used > CPU_MOST_MS)
            len += (size_t)snprintf(text + len, size - len, "%s %d used %ld ms; ", after->items[i].name, after->items[i].pid, used);
    }
    for (int i = 0; i < to->n && len < size; i++) {
        long iterations = to->items[i].iterations;
        for (int f = 0; f < from->n; f++)
            iterations -= from->items[f].process == to->items[i].process && strcmp(from->items[f].role, to->items[i].role) == 0
                              ? from->items[f].iterations : 0;
        if (iterations > ITERATIONS_MOST)
            len += (size_t)snprintf(text + len, size - len, "%s of %s iterated %ld times; ", to->items[i].role, to->items[i].process, iterations);
    }
}

static void test_idle(void)
{
    static struct pids before, after;
    struct counters from, to;
    char text[2048] = "not looked at";
    for (double end = 0; text[0] != '\0' && world_waiting(&end, QUIET_SECONDS);) {
        counters_read(&from);
        pids_all(&before);
        nanosleep(&(struct timespec){.tv_sec = WINDOW_SECONDS}, NULL); /* what is measured is this time itself */
        pids_all(&after);
        counters_read(&to);
        busy(&before, &after, &from, &to, text, sizeof text);
    }
    CHECK(text[0] == '\0', "in %d s: %s", WINDOW_SECONDS, text);
}

static void test_counters(void)
{
    struct counters counters;
    counters_read(&counters);
    for (size_t i = 0; i < N_PROCESSES; i++) {
        char roles[64], *state;
        snprintf(roles, sizeof roles, "%s", processes[i].roles);
        for (char *role = strtok_r(roles, " ", &state); role != NULL; role = strtok_r(NULL, " ", &state)) {
            long iterations = -1;
            for (int c = 0; c < counters.n; c++) {
                if (strcmp(counters.items[c].process, processes[i].name) == 0 && strcmp(counters.items[c].role, role) == 0)
                    iterations = counters.items[c].iterations;
            }
            CHECK(iterations > 0, "%s of %s: %ld iterations", role, processes[i].name, iterations);
        }
    }
    settings_usual(false);
}

const struct check_test tests_idle[] = {
    {"idle: all is loaded anew, routes change, an image is pulled", test_changes},
    {"idle: no process uses more than 0.5 % of a core, no loop iterates without cause", test_idle},
    {"idle: /metrics counts the iterations of every role", test_counters}, {0},
};
