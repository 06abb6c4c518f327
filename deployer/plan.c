/* Decides what to do about one service. Slot by slot: each wants one running instance of the present generation; older
 * ones make room one slot at a time, and only once their successor has proved itself. */
#include "deployer/plan.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

/* From so many failures in a row on, a person should look. */
#define FAILURES_FAILING 2
/* Between two looks at whether an instance answers: an eighth of its age, from and up to these. */
#define PROBE_LEAST_MS 100
#define PROBE_MOST_MS 1000
/* A process of the front that has just heard of it may still open a connection. */
#define DRAIN_LEAST_MS 500
/* A front that serves a change says so; this is for one that says nothing. */
#define FRONT_LOOK_MS 2000

struct planner {
    const struct plan_input *in;
    struct plan *out;
    int running_old;     /* of earlier generations, not told to stop */
    int unsettled;       /* slots in the middle of being replaced */
    bool complete;       /* every wanted slot is as it should be, and nothing else is there */
    bool overdue;        /* something takes longer than it should */
    int worst_failures;  /* of any slot */
    struct buf trouble;  /* about the worst slot */
    const struct plan_instance *remnant; /* the first that can't be got rid of */
};

/* What is there in one slot. */
struct slot {
    const struct plan_instance *present; /* of the wanted generation, to stay */
    const struct plan_instance *old;     /* of another one, not on its way out yet */
    const struct plan_instance *leaving; /* on its way out, still there */
    const struct plan_instance *ended;   /* the last of the wanted generation that ended by itself */
};

static void act(struct planner *p, enum plan_step step, const struct plan_instance *instance, int slot, int restarts)
{
    struct plan *out = p->out;
    if (out->n_actions == out->cap_actions) {
        size_t cap = out->cap_actions > 0 ? 2 * out->cap_actions : 16;
        struct plan_action *grown = realloc(out->actions, cap * sizeof *grown);
        if (grown == NULL) {
            out->failed = true;
            return;
        }
        out->actions = grown;
        out->cap_actions = cap;
    }
    out->actions[out->n_actions++] = (struct plan_action){step, instance, slot, restarts};
    p->complete = false;
}

static void look_again(struct planner *p, int64_t when_ms)
{
    if (p->out->due_ms == 0 || when_ms < p->out->due_ms)
        p->out->due_ms = when_ms;
}

int64_t plan_back_off(const struct plan_limits *limits, int failures)
{
    int64_t wait = limits->back_off_first;
    for (int i = 1; i < failures && wait < limits->back_off_most; i++)
        wait *= 2;
    return wait < limits->back_off_most ? wait : limits->back_off_most;
}

static bool is_live(const struct plan_instance *i)
{
    return i->state == PLAN_INTENDED || i->state == PLAN_CREATED || i->state == PLAN_RUNNING;
}

/* On its way out: gets no more requests, or was told to stop. */
static bool is_leaving(const struct plan_instance *i)
{
    return is_live(i) && (i->stop_requested_ms > 0 || i->unroute_ms > 0);
}

/* Failures in a row of a slot, the end of this instance included. */
static int failures_with(const struct planner *p, const struct plan_instance *ended)
{
    bool healthy = ended->started_ms > 0 && ended->finished_ms - ended->started_ms >= p->in->limits.healthy_after;
    return (healthy ? 0 : ended->restarts) + !ended->vanished;
}

/* PLAN_KILL or PLAN_REMOVE: not before its time, when the engine has failed to do so before. */
static void get_rid_of(struct planner *p, enum plan_step step, const struct plan_instance *i)
{
    if (p->remnant == NULL && i->removal_failures > 0)
        p->remnant = i;
    if (i->removal_failures > 0 && i->removal_due_ms > p->in->now_ms) {
        p->complete = false;
        look_again(p, i->removal_due_ms);
        return;
    }
    act(p, step, i, i->slot, 0);
}

/* Tells an instance to go, whatever state it is in. One that gets requests is first taken from the fronts. */
static void dismiss(struct planner *p, const struct plan_instance *i)
{
    if (i->state == PLAN_INTENDED && i->container_id[0] == '\0')
        act(p, PLAN_FORGET, i, i->slot, 0);
    else if (i->state == PLAN_RUNNING)
        act(p, i->fronted && i->ready_ms > 0 ? PLAN_UNROUTE : PLAN_TERM, i, i->slot, 0);
    else
        get_rid_of(p, PLAN_REMOVE, i);
}

/* A front may still send it requests: it goes on, unless none of its service is to be left, which no request survives. */
static void tend_routed(struct planner *p, const struct plan_instance *i)
{
    int64_t until = i->unroute_ms + p->in->limits.route_drain;
    if (p->in->wanted == 0 && until <= p->in->now_ms) {
        act(p, PLAN_TERM, i, i->slot, 0);
        return;
    }
    look_again(p, p->in->now_ms + FRONT_LOOK_MS);
    if (until <= p->in->now_ms) {
        p->overdue = true;
        if (p->trouble.len == 0)
            buf_addf(&p->trouble, "Instance %s.%d is to end, but may still get requests%s%s.", p->in->service_name, i->slot,
                     p->in->front_fault[0] != '\0' ? ": " : ", since no front has taken its route away", p->in->front_fault);
    }
}

/* Gets no more requests: SIGTERM follows when no front has any of its connections left. */
static void tend_draining(struct planner *p, const struct plan_instance *i)
{
    int64_t latest = i->unrouted_ms + p->in->limits.route_drain, least = i->unroute_ms + DRAIN_LEAST_MS;
    int64_t until = i->drained && least < latest ? least : latest;
    if (until <= p->in->now_ms)
        act(p, PLAN_TERM, i, i->slot, 0);
    else
        look_again(p, until);
}

/* Was told to stop: SIGKILL follows when the grace is over. */
static void tend_stopping(struct planner *p, const struct plan_instance *i)
{
    int64_t until = i->stop_requested_ms + p->in->limits.stop_grace;
    if (until <= p->in->now_ms)
        get_rid_of(p, PLAN_KILL, i);
    else
        look_again(p, until);
}

/* What is on its way out is seen through; what has ended is cleared away once its log is stored. */
static void tend_leaving(struct planner *p)
{
    const struct plan_limits *limits = &p->in->limits;
    for (size_t n = 0; n < p->in->n_instances; n++) {
        const struct plan_instance *i = &p->in->instances[n];
        if (i->state != PLAN_GONE)
            p->out->empty = false;
        if (i->state == PLAN_EXITED) {
            int64_t until = i->finished_ms + limits->dead_keep;
            /* What never ran has printed nothing. */
            bool silent = i->started_ms == 0;
            if (p->in->deleted || silent || i->log_complete || until <= p->in->now_ms) {
                /* Not a step towards what is wanted: a dead container keeps no service from being settled. */
                bool complete = p->complete;
                get_rid_of(p, PLAN_REMOVE, i);
                p->complete = complete;
            } else if (i->runs_again) {
                get_rid_of(p, PLAN_KILL, i);
            } else {
                look_again(p, until);
            }
        } else if (is_leaving(i)) {
            p->complete = false;
            if (i->state != PLAN_RUNNING)
                get_rid_of(p, PLAN_REMOVE, i);
            else if (i->stop_requested_ms > 0)
                tend_stopping(p, i);
            else if (i->unrouted_ms > 0)
                tend_draining(p, i);
            else if (i->route_served)
                act(p, PLAN_UNROUTED, i, i->slot, 0);
            else
                tend_routed(p, i);
        }
    }
}

static struct slot slot_find(const struct plan_input *in, int number)
{
    struct slot s = {0};
    for (size_t n = 0; n < in->n_instances; n++) {
        const struct plan_instance *i = &in->instances[n];
        if (i->slot != number)
            continue;
        if (is_leaving(i))
            s.leaving = i;
        else if (is_live(i) && i->generation == in->generation)
            s.present = i;
        else if (is_live(i))
            s.old = i;
        else if (i->generation == in->generation && i->stop_requested_ms == 0 && i->unroute_ms == 0 &&
                 (s.ended == NULL || i->finished_ms >= s.ended->finished_ms))
            s.ended = i;
    }
    return s;
}

/* Remembers the slot that fails most, in words. */
static void note_failures(struct planner *p, int number, int failures, const char *reason, int64_t next_try_ms)
{
    if (failures <= p->worst_failures)
        return;
    p->worst_failures = failures;
    buf_clear(&p->trouble);
    buf_addf(&p->trouble, "Instance %s.%d %s", p->in->service_name, number, reason[0] != '\0' ? reason : "ended");
    if (failures > 1)
        buf_addf(&p->trouble, " (%d times in a row)", failures);
    if (next_try_ms > 0) {
        char when[CLOCK_ISO_SIZE];
        clock_format_iso(next_try_ms * 1000000, when);
        buf_addf(&p->trouble, "; next try at %s", when);
    }
    buf_addc(&p->trouble, '.');
}

/* An instance that runs and does not answer yet is asked again and again. */
static void probe(struct planner *p, const struct plan_instance *i)
{
    int64_t wait = (p->in->now_ms - i->started_ms) / 8;
    wait = wait < PROBE_LEAST_MS ? PROBE_LEAST_MS : wait > PROBE_MOST_MS ? PROBE_MOST_MS : wait;
    act(p, PLAN_PROBE, i, i->slot, 0);
    p->out->n_probes++;
    look_again(p, p->in->now_ms + wait);
}

static void tend_unready(struct planner *p, const struct plan_instance *i)
{
    probe(p, i);
    p->overdue = p->overdue || p->in->now_ms - i->started_ms > p->in->limits.ready_deadline;
    p->unsettled++;
}

/* One that answers gets its requests once every front has heard of it. */
static void tend_unserved(struct planner *p, const struct plan_instance *i)
{
    p->complete = false;
    p->unsettled++;
    look_again(p, p->in->now_ms + FRONT_LOOK_MS);
    if (i->ready_ms + p->in->limits.ready_deadline < p->in->now_ms || p->in->front_fault[0] != '\0') {
        p->overdue = true;
        if (p->trouble.len == 0)
            buf_addf(&p->trouble, "Instance %s.%d answers, but gets no requests yet%s%s.", p->in->service_name, i->slot,
                     p->in->front_fault[0] != '\0' ? ": " : ", since no front has taken it up", p->in->front_fault);
    }
}

/* A slot with an instance of the wanted generation. */
static void tend_present(struct planner *p, const struct slot *s)
{
    const struct plan_instance *i = s->present;
    if (i->state != PLAN_RUNNING) {
        p->complete = false;
        p->unsettled++;
        if (i->container_id[0] != '\0' || p->in->image_ready)
            act(p, PLAN_ENSURE, i, i->slot, 0);
        else
            p->out->needs_image = true;
        return;
    }
    if (i->ready_ms == 0) {
        tend_unready(p, i);
        return;
    }
    int64_t settled_at = i->started_ms + p->in->limits.update_settle;
    bool settled = settled_at <= p->in->now_ms;
    /* A first instance counts as soon as it runs; one that follows others has to prove itself. */
    if (!settled && (s->old != NULL || i->restarts > 0)) {
        p->complete = false;
        p->unsettled++;
        look_again(p, settled_at);
        if (i->restarts > 0)
            note_failures(p, i->slot, i->restarts, s->ended != NULL ? s->ended->reason : "", 0);
        return;
    }
    if (i->fronted && !i->route_served) {
        tend_unserved(p, i);
        return;
    }
    if (s->old != NULL) {
        p->unsettled++;
        dismiss(p, s->old);
    }
}

/* A slot that wants an instance of the present generation and has none. */
static void fill(struct planner *p, const struct slot *s, int number)
{
    int failures = s->ended != NULL ? failures_with(p, s->ended) : 0;
    int64_t wait = s->ended != NULL && s->ended->vanished ? 0 : plan_back_off(&p->in->limits, failures);
    int64_t when = s->ended != NULL ? s->ended->finished_ms + wait : 0;
    p->complete = false;
    if (failures > 0 && !s->ended->vanished)
        note_failures(p, number, failures, s->ended->reason, when);
    /* The place is still taken, or will be by a volume that only one may mount. */
    if (s->leaving != NULL && (p->in->stop_first || s->leaving->generation == p->in->generation)) {
        p->unsettled++;
        return;
    }
    if (!p->in->image_ready) {
        p->out->needs_image = true;
        return;
    }
    if (when > p->in->now_ms) {
        p->unsettled += s->old != NULL;
        look_again(p, when);
        return;
    }
    if (s->old != NULL) {
        /* One slot at a time. */
        if (p->unsettled > 0)
            return;
        if (p->in->stop_first) {
            p->unsettled++;
            dismiss(p, s->old);
            return;
        }
    }
    p->unsettled++;
    act(p, PLAN_NEW, NULL, number, failures);
}

static void tend_wanted(struct planner *p)
{
    /* Slots that are being replaced first, so that none is begun beside them. */
    for (int pass = 0; pass < 2; pass++) {
        for (int number = 0; number < p->in->wanted; number++) {
            struct slot s = slot_find(p->in, number);
            p->running_old += pass == 0 && s.old != NULL && s.old->state == PLAN_RUNNING;
            if (pass == 0 && s.present != NULL)
                tend_present(p, &s);
            /* While it stays, it serves. */
            if (pass == 0 && s.old != NULL && s.old->state == PLAN_RUNNING && s.old->ready_ms == 0)
                probe(p, s.old);
            /* A slot is done with when its old instance is gone, not when it was told to go. */
            if (pass == 0 && s.leaving != NULL && s.leaving->generation != p->in->generation)
                p->unsettled++;
            if (pass == 1 && s.present == NULL)
                fill(p, &s, number);
        }
    }
}

static void dismiss_surplus(struct planner *p)
{
    for (size_t n = 0; n < p->in->n_instances; n++) {
        const struct plan_instance *i = &p->in->instances[n];
        if (is_live(i) && !is_leaving(i) && i->slot >= p->in->wanted)
            dismiss(p, i);
    }
}

/* Its instances run, and something that they are to be reached by leads nowhere. */
static void note_endpoints(struct planner *p)
{
    if (p->in->wanted == 0 || p->in->endpoint_fault[0] == '\0')
        return;
    p->complete = false;
    p->overdue = true;
    if (p->trouble.len == 0)
        buf_adds(&p->trouble, p->in->endpoint_fault);
}

static void describe(struct planner *p)
{
    struct plan *out = p->out;
    bool failing = p->worst_failures >= FAILURES_FAILING || p->overdue;
    out->condition = p->complete ? PLAN_SETTLED : failing ? PLAN_FAILING : PLAN_PROGRESSING;
    if (p->running_old > 0 && (p->worst_failures > 0 || p->overdue))
        buf_addf(&out->message, "The update is failing; %d instance%s of the previous version keep%s running. ",
                 p->running_old, p->running_old == 1 ? "" : "s", p->running_old == 1 ? "s" : "");
    if (!p->complete)
        buf_adds(&out->message, buf_text(&p->trouble));
    if (p->remnant != NULL)
        buf_addf(&out->message, "%sThe container of instance %s.%d can't be removed: %s.", out->message.len > 0 ? " " : "",
                 p->in->service_name, p->remnant->slot, p->remnant->removal_fault);
    out->failed = out->failed || out->message.failed;
}

void plan_make(const struct plan_input *input, struct plan *plan)
{
    struct planner p = {.in = input, .out = plan, .complete = true};
    plan->empty = true;
    tend_leaving(&p);
    dismiss_surplus(&p);
    tend_wanted(&p);
    note_endpoints(&p);
    describe(&p);
    buf_free(&p.trouble);
}

void plan_free(struct plan *plan)
{
    free(plan->actions);
    buf_free(&plan->message);
    *plan = (struct plan){0};
}
