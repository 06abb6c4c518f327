/* A master that keeps children of several roles running. */
#include "common/supervisor.h"

#include <errno.h>
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
/* How many children can be there at once: those of all roles twice over, while a reload drains. */
#define CHILDREN_MAX 1024

struct child {
    pid_t pid; /* 0: not running */
    size_t role;
    int index;
    bool draining; /* told to stop; not to be started again */
    int deaths;    /* early ones in a row */
    int64_t started_ms;
    int64_t start_at_ms; /* when to start it, while pid is 0 */
};

struct supervisor {
    const struct supervisor_options *options;
    struct child children[CHILDREN_MAX];
    size_t n_children;
    bool stopping;
    int64_t kill_at_ms; /* when those still draining get SIGKILL; 0: nobody drains */
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
    c->started_ms = now;
}

static void children_add_all(struct supervisor *s)
{
    for (size_t r = 0; r < s->options->n_roles; r++) {
        for (int i = 0; i < s->options->roles[r].count; i++) {
            if (s->n_children == CHILDREN_MAX) {
                log_error("more than %d children; the rest is not started", CHILDREN_MAX);
                return;
            }
            s->children[s->n_children] = (struct child){.role = r, .index = i};
            child_start(s, &s->children[s->n_children++]);
        }
    }
}

static void children_drain_all(struct supervisor *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct child *c = &s->children[i];
        c->draining = true;
        if (c->pid > 0)
            kill(c->pid, SIGTERM);
    }
    s->kill_at_ms = clock_monotonic_ms() + s->options->drain_ms;
}

static void supervisor_stop(struct supervisor *s)
{
    if (s->stopping)
        return;
    s->stopping = true;
    systemd_notify("STOPPING=1");
    children_drain_all(s, s->n_children);
}

/* Decides what the death of a child means. */
static void child_ended(struct supervisor *s, struct child *c, int status)
{
    const char *role = s->options->roles[c->role].name;
    int64_t now = clock_monotonic_ms();
    pid_t pid = c->pid;
    c->pid = 0;
    if (c->draining)
        return;
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
    /* Forget those that were drained to their end. */
    size_t kept = 0;
    for (size_t i = 0; i < s->n_children; i++) {
        if (s->children[i].pid > 0 || !s->children[i].draining)
            s->children[kept++] = s->children[i];
    }
    s->n_children = kept;
}

/* Starts what is due and kills what drains too long. Returns milliseconds until there is more to do, -1
 * for never. */
static int supervisor_tend(struct supervisor *s)
{
    int64_t now = clock_monotonic_ms(), next = -1;
    bool draining = false;
    for (size_t i = 0; i < s->n_children; i++) {
        struct child *c = &s->children[i];
        if (c->draining) {
            draining = true;
        } else if (c->pid == 0) {
            if (c->start_at_ms <= now)
                child_start(s, c);
            else if (next < 0 || c->start_at_ms - now < next)
                next = c->start_at_ms - now;
        }
    }
    if (!draining) {
        s->kill_at_ms = 0;
    } else if (s->kill_at_ms <= now) {
        for (size_t i = 0; i < s->n_children; i++) {
            if (s->children[i].draining && s->children[i].pid > 0) {
                log_warning("child %d did not end in time; killed", (int)s->children[i].pid);
                kill(s->children[i].pid, SIGKILL);
            }
        }
        s->kill_at_ms = now + s->options->drain_ms;
    }
    if (draining && (next < 0 || s->kill_at_ms - now < next))
        next = s->kill_at_ms - now;
    return (int)next;
}

static void supervisor_reload(struct supervisor *s)
{
    if (s->options->reload == NULL)
        return;
    systemd_notify("RELOADING=1");
    if (s->options->reload(s->options->context) == 0) {
        log_info("configuration loaded anew; replacing the children");
        size_t old = s->n_children;
        children_add_all(s);
        children_drain_all(s, old);
    }
    systemd_notify("READY=1");
}

int supervisor_run(const struct supervisor_options *options)
{
    struct supervisor *s = calloc(1, sizeof *s);
    int status = 1;
    const char **names = calloc(options->n_roles + 2, sizeof *names);
    if (s == NULL || names == NULL || signals_open(SIGNALS_STOP | SIGNALS_RELOAD | SIGNALS_CHILD) < 0)
        goto out;
    for (size_t i = 0; i < options->n_roles; i++)
        names[i] = options->roles[i].name;
    names[options->n_roles] = "master";
    if (loop_open(names) != 0)
        goto out;
    loop_enter(options->n_roles);
    s->options = options;
    children_add_all(s);
    systemd_notify("READY=1");
    while (!s->stopping || s->n_children > 0) {
        loop_count();
        signals_wait(-1, supervisor_tend(s));
        if (signals_child())
            children_reap(s);
        if (signals_stop())
            supervisor_stop(s);
        if (signals_reload() && !s->stopping)
            supervisor_reload(s);
    }
    status = s->status;
out:
    free(names);
    free(s);
    return status;
}
