/* Decides what to do about one service: pure, from what is wanted, what is there and the time. Level-triggered: it
 * looks at no history but the rows, so that a deployer killed anywhere is followed by one that decides the same. */
#ifndef SKYLARK_DEPLOYER_PLAN_H
#define SKYLARK_DEPLOYER_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

enum plan_state {
    PLAN_INTENDED, /* a row, no container yet */
    PLAN_CREATED,  /* a container that never ran */
    PLAN_RUNNING,
    PLAN_EXITED, /* a container that stands still; kept until its log is stored */
    PLAN_GONE,   /* no container any more; only how it ended counts */
    PLAN_STATE__MAX
};

/* All times are milliseconds since 1970, 0 for never. */
struct plan_instance {
    char id[37];
    char container_id[72]; /* "" while there is none */
    int slot;
    int64_t generation;
    enum plan_state state;
    int restarts; /* failures of its slot in a row before it */
    int64_t started_ms, stop_requested_ms, finished_ms;
    int64_t ready_ms;   /* when it first answered */
    int64_t unroute_ms;  /* when the fronts were asked to send it no more requests */
    int64_t unrouted_ms; /* when it was noted that all have stopped */
    bool fronted;       /* fronts send it requests while it is ready */
    bool route_served;  /* every front does with it what it should do now */
    bool drained;       /* no front holds a connection to it */
    bool runs_again;   /* ended, and its container was started by hand since */
    bool log_complete; /* stored to its end */
    bool vanished;     /* its container was taken away while it ran: no failure of its own */
    char reason[256];    /* how it ended */
    int removal_failures;    /* how often in a row its container could not be killed or removed */
    int64_t removal_due_ms;  /* when that is tried again */
    char removal_fault[256]; /* why it failed */
    char tcp_ports[640]; /* that it was made with, separated by blanks */
};

/* How patient to be, in milliseconds. */
struct plan_limits {
    int64_t stop_grace;    /* between SIGTERM and SIGKILL */
    int64_t update_settle; /* how long a new instance must run before it takes an old one's place */
    int64_t healthy_after; /* running so long forgets earlier failures */
    int64_t back_off_first, back_off_most;
    int64_t dead_keep; /* how long a dead container waits for its log to be stored */
    int64_t ready_deadline; /* running so long without an answer, or ready so long without a front, is a trouble */
    int64_t route_drain;    /* between the last request that any front sends it and SIGTERM, at most */
};

struct plan_input {
    const char *service_name;
    int wanted;
    int64_t generation;
    bool deleted;
    bool stop_first;  /* an instance and its successor must never be there at once */
    bool image_ready; /* the image of this generation is known */
    const char *front_fault;    /* why fronts do not serve the latest routes; "" when they do */
    const char *endpoint_fault; /* which endpoints of this service they leave out, and why; "" for none */
    int64_t now_ms;
    struct plan_limits limits;
    const struct plan_instance *instances;
    size_t n_instances;
};

enum plan_step {
    PLAN_NEW,    /* a new instance in slot, with restarts */
    PLAN_ENSURE, /* make the container of instance if it is missing, and start it */
    PLAN_PROBE,  /* whether it answers by now */
    PLAN_UNROUTE,  /* no more requests for it */
    PLAN_UNROUTED, /* note that the fronts have done so */
    PLAN_TERM,   /* SIGTERM */
    PLAN_KILL,   /* SIGKILL: the grace is over */
    PLAN_REMOVE, /* its container */
    PLAN_FORGET, /* an intention that is not wanted any more */
    PLAN_STEP__MAX
};

struct plan_action {
    enum plan_step step;
    const struct plan_instance *instance; /* NULL for PLAN_NEW */
    int slot, restarts;
};

enum plan_condition { PLAN_PROGRESSING, PLAN_SETTLED, PLAN_FAILING };

struct plan {
    struct plan_action *actions; /* in the order to be done */
    size_t n_actions, cap_actions;
    size_t n_probes;  /* of them: those that change nothing by themselves */
    bool needs_image; /* something waits for the image */
    bool empty;       /* nothing of the service is left on the engine */
    int64_t due_ms;   /* look again then; 0: only when woken */
    enum plan_condition condition;
    struct buf message; /* why, for the user; "" when there is nothing to say */
    bool failed;        /* memory ran out */
};

/* Fills a zero-initialised plan; plan_free frees what it holds. */
void plan_make(const struct plan_input *input, struct plan *plan);
void plan_free(struct plan *plan);

/* Milliseconds to wait after that many failures in a row (1, 2, …). */
int64_t plan_back_off(const struct plan_limits *limits, int failures);

#endif
