/* A master that keeps children of several roles running. */
#include "common/supervisor.h"

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/signals.h"
#include "common/systemd.h"

/* A child that lived this long is counted as healthy: its next death is the first one. */
#define HEALTHY_MS 10000
#define BACK_OFF_FIRST_MS 100
#define BACK_OFF_LIMIT_MS 10000

struct child {
    pid_t pid; /* 0: not running, waits for start_at_ms */
    size_t role;
    int index;
    unsigned generation; /* of the configuration that it was started with */
    bool retired;        /* not to be started again */
    int deaths;          /* early ones in a row */
    int64_t started_ms;
    int64_t start_at_ms; /* when to start it, while pid is 0 */
    int64_t kill_at_ms;  /* when it gets SIGKILL, since it was told to end; 0: it was not told */
};

struct supervisor {
    const struct supervisor_options *options;
    struct child *children; /* one for each that is wanted, and those that are told to end and have no successor */
    size_t n_children;
    unsigned generation;
    bool stopping;
    int status;
};

static void child_run(struct supervisor *s, const struct child *c, pid_t master)
{
    const struct supervisor_role *role = &s->options->roles[c->role];
    /* The signals stay blocked over fork, so none is lost between here and signals_open. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != master)
        _exit(0);
    char title[16];
    snprintf(title, sizeof title, "sky-%.11s", role->name);
    prctl(PR_SET_NAME, title);
    loop_enter(c->role);
    int status = signals_open(SIGNALS_STOP) < 0 ? 1 : role->run(s->options->context, c->index);
    /* exit, so that leak checkers see a child's end as they see any program's */
    exit(status);
}

static void child_start(struct supervisor *s, struct child *c)
{
    pid_t master = getpid();
    pid_t pid = fork();
    if (pid == 0)
        child_run(s, c, master);
    int64_t now = clock_monotonic_ms();
    if (pid < 0) {
        log_error("fork: %m");
        c->start_at_ms = now + BACK_OFF_LIMIT_MS;
        return;
    }
    c->pid = pid;
    c->generation = s->generation;
    c->started_ms = now;
    c->kill_at_ms = 0;
}

/* Tells a running child to end, once. */
static void child_drain(struct supervisor *s, struct child *c)
{
    if (c->pid == 0 || c->kill_at_ms != 0)
        return;
    kill(c->pid, SIGTERM);
    c->kill_at_ms = clock_monotonic_ms() + *s->options->drain_ms;
}

static bool children_have(const struct supervisor *s, size_t role, int index)
{
    for (size_t i = 0; i < s->n_children; i++) {
        const struct child *c = &s->children[i];
        if (!c->retired && c->role == role && c->index == index)
            return true;
    }
    return false;
}

/* Makes the list fit the roles' counts: adds what is missing, due at once, and retires what is too many. Returns 0, or -1 when
 * there is no memory; then nothing is added. */
static int children_fit(struct supervisor *s)
{
    size_t missing = 0;
    for (size_t r = 0; r < s->options->n_roles; r++)
        missing += (size_t)(s->options->roles[r].count > 0 ? s->options->roles[r].count : 0);
    struct child *all = realloc(s->children, (s->n_children + missing + 1) * sizeof *all);
    if (all == NULL) {
        log_error("no memory for %zu children", missing);
        return -1;
    }
    s->children = all;
    for (size_t i = 0; i < s->n_children; i++) {
        struct child *c = &s->children[i];
        if (c->index >= s->options->roles[c->role].count) {
            c->retired = true;
            child_drain(s, c);
        } else if (c->pid == 0) { /* what kept it from starting may be mended */
            c->deaths = 0;
            c->start_at_ms = 0;
        }
    }
    for (size_t r = 0; r < s->options->n_roles; r++) {
        for (int i = 0; i < s->options->roles[r].count; i++) {
            if (!children_have(s, r, i))
                s->children[s->n_children++] = (struct child){.role = r, .index = i};
        }
    }
    return 0;
}

static void supervisor_stop(struct supervisor *s)
{
    if (s->stopping)
        return;
    s->stopping = true;
    systemd_notify("STOPPING=1");
    for (size_t i = 0; i < s->n_children; i++) {
        s->children[i].retired = true;
        child_drain(s, &s->children[i]);
    }
}

/* Decides what the end of a child means. */
static void child_ended(struct supervisor *s, struct child *c, int status)
{
    const char *role = s->options->roles[c->role].name;
    int64_t now = clock_monotonic_ms();
    pid_t pid = c->pid;
    bool told = c->kill_at_ms != 0;
    c->pid = 0;
    c->kill_at_ms = 0;
    c->start_at_ms = now;
    if (told) {
        c->deaths = 0;
        return;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == SUPERVISOR_EXIT_REFUSED) {
        log_error("%s %d refused to serve; stopping", role, (int)pid);
        s->status = SUPERVISOR_EXIT_REFUSED;
        supervisor_stop(s);
        return;
    }
    c->deaths = now - c->started_ms >= HEALTHY_MS ? 1 : c->deaths + 1;
    int64_t wait = BACK_OFF_FIRST_MS;
    for (int i = 1; i < c->deaths && wait < BACK_OFF_LIMIT_MS; i++)
        wait *= 2;
    /* The first death of a healthy child is answered at once: others may wait for its work. */
    if (c->deaths == 1)
        wait = 0;
    c->start_at_ms = now + (wait < BACK_OFF_LIMIT_MS ? wait : BACK_OFF_LIMIT_MS);
    if (WIFSIGNALED(status))
        log_error("%s %d was ended by signal %d; next one in %lld ms", role, (int)pid, WTERMSIG(status),
                  (long long)(c->start_at_ms - now));
    else
        log_error("%s %d ended with status %d; next one in %lld ms", role, (int)pid, WEXITSTATUS(status),
                  (long long)(c->start_at_ms - now));
}

static void children_reap(struct supervisor *s)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (size_t i = 0; i < s->n_children; i++) {
            if (s->children[i].pid == pid) {
                child_ended(s, &s->children[i], status);
                break;
            }
        }
    }
}

/* Forgets those that are not to be started again and do not run, whether they ended or never were. */
static void children_forget(struct supervisor *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->n_children; i++) {
        if (s->children[i].pid > 0 || !s->children[i].retired)
            s->children[kept++] = s->children[i];
    }
    s->n_children = kept;
}

/* Replaces children of a former configuration, one for one: each is told to end, and its successor starts when it has ended, so
 * that there are never more than the roles' counts say. Half of a role at a time, so that the other half goes on serving. One
 * that can't start counts as well: what a bad configuration breaks is at most that half. */
static void children_replace(struct supervisor *s)
{
    for (size_t r = 0; r < s->options->n_roles; r++) {
        int absent = 0, most = s->options->roles[r].count / 2;
        for (size_t i = 0; i < s->n_children; i++) {
            const struct child *c = &s->children[i];
            absent += c->role == r && !c->retired && (c->pid == 0 || c->kill_at_ms != 0);
        }
        for (size_t i = 0; i < s->n_children && absent < (most > 0 ? most : 1); i++) {
            struct child *c = &s->children[i];
            if (c->role == r && !c->retired && c->pid > 0 && c->kill_at_ms == 0 && c->generation != s->generation) {
                child_drain(s, c);
                absent++;
            }
        }
    }
}

/* Starts what is due and kills what drains too long. Returns milliseconds until there is more to do, -1
 * for never. */
static int supervisor_tend(struct supervisor *s)
{
    int64_t next = INT64_MAX;
    children_forget(s);
    for (size_t i = 0; i < s->n_children; i++) {
        struct child *c = &s->children[i];
        if (c->pid == 0 && c->start_at_ms <= clock_monotonic_ms())
            child_start(s, c);
    }
    if (!s->stopping) /* after the starts, which make room for further ones to end */
        children_replace(s);
    for (size_t i = 0; i < s->n_children; i++) {
        struct child *c = &s->children[i];
        int64_t now = clock_monotonic_ms();
        if (c->kill_at_ms != 0 && c->kill_at_ms <= now) {
            log_warning("%s %d did not end in time; killed", s->options->roles[c->role].name, (int)c->pid);
            kill(c->pid, SIGKILL);
            c->kill_at_ms = now + *s->options->drain_ms;
        }
        int64_t due = c->pid == 0 ? c->start_at_ms : c->kill_at_ms != 0 ? c->kill_at_ms : INT64_MAX;
        next = due < next ? due : next;
    }
    if (next == INT64_MAX)
        return -1;
    int64_t left = next - clock_monotonic_ms();
    return left > INT_MAX ? INT_MAX : left > 0 ? (int)left : 0;
}

static void supervisor_reload(struct supervisor *s)
{
    if (s->options->reload == NULL)
        return;
    systemd_notify("RELOADING=1");
    if (s->options->reload(s->options->context) == 0) {
        log_info("configuration loaded anew; replacing the children");
        s->generation++;
        if (children_fit(s) != 0)
            log_error("there are fewer children than the configuration asks for");
    }
    systemd_notify("READY=1");
}

int supervisor_run(const struct supervisor_options *options)
{
    struct supervisor *s = calloc(1, sizeof *s);
    const char **names = calloc(options->n_roles + 2, sizeof *names);
    int status = 1;
    if (s == NULL || names == NULL || signals_open(SIGNALS_STOP | SIGNALS_RELOAD | SIGNALS_CHILD) < 0)
        goto out;
    for (size_t i = 0; i < options->n_roles; i++)
        names[i] = options->roles[i].name;
    names[options->n_roles] = "master";
    if (loop_open(names) != 0)
        goto out;
    loop_enter(options->n_roles);
    s->options = options;
    if (children_fit(s) != 0)
        goto out;
    int wait = supervisor_tend(s);
    systemd_notify("READY=1");
    while (!s->stopping || s->n_children > 0) {
        loop_count();
        signals_wait(-1, wait);
        if (signals_child())
            children_reap(s);
        if (signals_stop())
            supervisor_stop(s);
        if (signals_reload() && !s->stopping)
            supervisor_reload(s);
        wait = supervisor_tend(s);
    }
    status = s->status;
out:
    free(names);
    if (s != NULL)
        free(s->children);
    free(s);
    return status;
}
