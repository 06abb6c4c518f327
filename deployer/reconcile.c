/* One pass over one service. Killed between any two lines, the next pass goes on from what is there: an instance is a row
 * before it is a container, and the container bears the row's id. */
#include "deployer/reconcile.h"

#include "deployer/figures.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/signals.h"
#include "deployer/container.h"
#include "deployer/networks.h"
#include "deployer/probe.h"
#include "gen/deployer_statements.h"

#define NS_PER_MS 1000000
/* A pass that failed is tried again after 1 s, 2 s, … up to this. */
#define RETRY_MOST_MS 30000
/* A pull that is under way wakes the service itself; this is for the case that the puller dies. */
#define PULL_LOOK_MS 15000
#define IMAGE_REF_SIZE 512
/* What the engine refused to connect, or what could not be observed, is tried again. */
#define FAULT_LOOK_MS 10000
/* A network that someone still needed is removed later. */
#define NETWORK_LEFT_MS 20000

/* What comes out of a pass, for status_write and service_release. */
struct outcome {
    enum plan_condition condition;
    struct buf message;
    struct buf probe_words; /* why the first instance that was asked is not ready */
    int64_t due_ms; /* from now; -1: only when woken */
    bool unhealthy; /* an instance's health check says so */
    bool removed;   /* the service's row is gone */
};

static void outcome_due(struct outcome *o, int64_t in_ms)
{
    if (o->due_ms < 0 || in_ms < o->due_ms)
        o->due_ms = in_ms > 0 ? in_ms : 0;
}

/* --- the image --- */

static enum pass_status image_note(struct role *role, struct service *s, const char *image_id, const char *note)
{
    char generation[24];
    snprintf(generation, sizeof generation, "%" PRId64, service_number(s, "generation"));
    const char *params[DEPLOYER_IMAGE_SET_P__MAX] = {
        [DEPLOYER_IMAGE_SET_P_SERVICE_ID] = s->id,
        [DEPLOYER_IMAGE_SET_P_GENERATION] = generation,
        [DEPLOYER_IMAGE_SET_P_IMAGE_ID] = image_id,
        [DEPLOYER_IMAGE_SET_P_NOTE] = note,
        [DEPLOYER_IMAGE_SET_P_DEPLOYER] = role->name,
    };
    long written = 0;
    enum db_status status = db_execute(role->db, DEPLOYER_IMAGE_SET, params, &written);
    return lease_judge(status, written, 1);
}

/* Takes the image that a finished pull found. */
static enum pass_status image_take(struct role *role, struct service *s, const char *ref, const char *image_id,
                                   const char *error)
{
    struct buf note = {0};
    /* What is named so was made on the engine, as a rule: that no registry has it is no news. */
    bool local = strncmp(ref, "localhost/", strlen("localhost/")) == 0;
    if (error[0] != '\0' && !local)
        buf_addf(&note, "The image %s could not be pulled (%s); the one that is on the engine already is used.", ref, error);
    enum pass_status status = image_note(role, s, image_id, buf_text(&note));
    buf_free(&note);
    return status;
}

static void image_ref(const struct service *s, char *out, size_t size)
{
    snprintf(out, size, "%s:%s", service_text(s, "image_name"), service_text(s, "image_tag"));
}

/* The image was taken from the engine since: it is pulled anew. */
static enum pass_status image_forget(struct role *role, struct service *s)
{
    char ref[IMAGE_REF_SIZE];
    image_ref(s, ref, sizeof ref);
    const char *request[DEPLOYER_PULL_REQUEST_P__MAX] = {[DEPLOYER_PULL_REQUEST_P_IMAGE_REF] = ref};
    enum pass_status status = image_note(role, s, NULL, "");
    return status == PASS_OK ? pass_of_db(db_execute(role->db, DEPLOYER_PULL_REQUEST, request, NULL)) : status;
}

/* Looks how the pull of the service's image stands; asks for one when it must. */
static enum pass_status image_tend(struct role *role, struct service *s, struct outcome *o)
{
    char ref[IMAGE_REF_SIZE];
    image_ref(s, ref, sizeof ref);
    const char *params[DEPLOYER_PULL_STATE_P__MAX] = {
        [DEPLOYER_PULL_STATE_P_SERVICE_ID] = s->id,
        [DEPLOYER_PULL_STATE_P_IMAGE_REF] = ref,
    };
    const char *request[DEPLOYER_PULL_REQUEST_P__MAX] = {[DEPLOYER_PULL_REQUEST_P_IMAGE_REF] = ref};
    PGresult *r;
    enum pass_status status = pass_of_db(db_run(role->db, DEPLOYER_PULL_STATE, params, &r));
    if (status != PASS_OK)
        return status;
    bool known = PQntuples(r) > 0;
    const char *state = known ? db_text(r, 0, DEPLOYER_PULL_STATE_C_STATE) : "";
    const char *image_id = known ? db_text(r, 0, DEPLOYER_PULL_STATE_C_IMAGE_ID) : "";
    const char *error = known ? db_text(r, 0, DEPLOYER_PULL_STATE_C_ERROR) : "";
    const char *progress = known ? db_text(r, 0, DEPLOYER_PULL_STATE_C_PROGRESS) : "";
    bool fresh = known && db_bool(r, 0, DEPLOYER_PULL_STATE_C_FRESH);
    bool ended = strcmp(state, "done") == 0 || strcmp(state, "failed") == 0;
    int64_t retry_ms = known ? db_int(r, 0, DEPLOYER_PULL_STATE_C_RETRY_MS) : 0;
    if (ended && fresh && image_id[0] != '\0') {
        status = image_take(role, s, ref, image_id, error);
        outcome_due(o, 0);
    } else if (ended && fresh && retry_ms > 0) {
        char when[CLOCK_ISO_SIZE];
        clock_format_iso(clock_wall_ns() + retry_ms * NS_PER_MS, when);
        o->condition = PLAN_FAILING;
        buf_addf(&o->message, "%sThe image %s can't be pulled: %s; next try at %s.", o->message.len > 0 ? " " : "", ref,
                 error, when);
        outcome_due(o, retry_ms);
    } else if (!known || ended) {
        if (known && fresh) { /* once more: until that ends, what is known is that it failed */
            o->condition = PLAN_FAILING;
            buf_addf(&o->message, "The image %s can't be pulled: %s; trying again.", ref, error);
        } else {
            buf_addf(&o->message, "Pulling %s.", ref);
        }
        status = pass_of_db(db_execute(role->db, DEPLOYER_PULL_REQUEST, request, NULL));
        outcome_due(o, PULL_LOOK_MS);
    } else {
        buf_addf(&o->message, "Pulling %s%s%s.", ref, progress[0] != '\0' ? ": " : "", progress);
        outcome_due(o, PULL_LOOK_MS);
    }
    PQclear(r);
    return status;
}

/* --- the steps --- */

/* What the engine refused ends the instance; the next one is made from what is known then. */
static enum pass_status instance_refused(struct role *role, struct service *s, struct plan_instance *i, bool image_missing)
{
    char reason[200];
    snprintf(reason, sizeof reason, "could not be made: %s", engine_error(role->engine));
    enum pass_status status = image_missing ? image_forget(role, s) : PASS_OK;
    if (status != PASS_OK)
        return status;
    log_warning("instance %d %s", i->slot, reason);
    /* If its container can't be removed now, it is a stray from here on. */
    if (i->container_id[0] != '\0' && engine_container_remove(role->engine, i->container_id) != ENGINE_OK)
        log_warning("container %.12s is left: %s", i->container_id, engine_error(role->engine));
    return observe_gone(role, s, i, reason);
}

/* Asks the engine for the network, then for the container; i->container_id stays empty when either was refused. */
static enum pass_status container_make(struct role *role, struct service *s, struct plan_instance *i,
                                       const struct engine_container_spec *spec)
{
    bool refused = false;
    enum pass_status pass = networks_prepare(role, s, &refused);
    if (pass == PASS_OK && refused)
        return instance_refused(role, s, i, false);
    if (pass == PASS_OK)
        pass = lease_keep(role, s);
    if (pass != PASS_OK)
        return pass;
    char *container_id = NULL;
    enum engine_status status = engine_container_create(role->engine, spec, &container_id);
    if (status != ENGINE_OK)
        return engine_unusable(status) ? pass_of_engine(role, status)
                                      : instance_refused(role, s, i, status == ENGINE_NOT_FOUND);
    snprintf(i->container_id, sizeof i->container_id, "%s", container_id);
    free(container_id);
    return PASS_OK;
}

/* With a service's first container its volumes are on the engine: what they are made of is noted before anything is written
 * to them, and holds from then on. */
static enum pass_status volumes_note(struct role *role, struct service *s)
{
    if (service_flag(s, "volumes_noted"))
        return PASS_OK;
    const char *params[DEPLOYER_VOLUMES_MADE_P__MAX] = {
        [DEPLOYER_VOLUMES_MADE_P_SERVICE_ID] = s->id,
        [DEPLOYER_VOLUMES_MADE_P_VOLUMES] = json_object_to_json_string(json_object_object_get(s->spec, "volumes")),
    };
    return pass_of_db(db_execute(role->db, DEPLOYER_VOLUMES_MADE, params, NULL));
}

/* Starts a container that was made: written before it is started, so that the collector follows it from its first line. */
static enum pass_status container_start(struct role *role, struct service *s, struct plan_instance *i)
{
    i->state = PLAN_CREATED;
    enum pass_status pass = volumes_note(role, s);
    if (pass == PASS_OK)
        pass = observe_instance(role, s, i);
    if (pass != PASS_OK || i->state != PLAN_CREATED)
        return pass;
    bool refused = false;
    pass = networks_join(role, s, i, &refused);
    if (pass == PASS_OK && refused)
        return instance_refused(role, s, i, false);
    if (pass == PASS_OK)
        pass = lease_keep(role, s);
    if (pass != PASS_OK)
        return pass;
    enum engine_status status = engine_container_start(role->engine, i->container_id);
    if (engine_unusable(status))
        return pass_of_engine(role, status);
    if (status != ENGINE_OK)
        log_warning("instance %d could not be started: %s", i->slot, engine_error(role->engine));
    return observe_instance(role, s, i);
}

/* Makes the container of an instance whose row is there, if it is missing, and starts it. */
static enum pass_status instance_ensure(struct role *role, struct service *s, struct plan_instance *i)
{
    log_set(LOG_FIELD_INSTANCE, i->id);
    if (i->container_id[0] == '\0') {
        struct container made;
        struct engine_container_spec spec;
        if (container_of_service(s, i, &made, &spec) != 0) {
            container_clear(&made);
            return observe_gone(role, s, i, "could not be made: its run_command can't be split into words");
        }
        int64_t cpu = service_number(s, "cpu_millis"), all = role->engine_cpus * 1000;
        spec.cpu_millis = all > 0 && cpu > all ? all : cpu;
        spec.installation = role->installation;
        spec.log_max_bytes = role->settings->engine_log_max_bytes;
        spec.log_max_files = (int)role->settings->engine_log_max_files;
        spec.publish_address = role->settings->publish_address;
        enum pass_status pass = container_make(role, s, i, &spec);
        container_clear(&made);
        if (pass != PASS_OK || i->container_id[0] == '\0')
            return pass;
    }
    return container_start(role, s, i);
}

/* A new row, then its container. */
static enum pass_status instance_new(struct role *role, struct service *s, const struct plan_action *a)
{
    struct plan_instance i = {.slot = a->slot, .generation = service_number(s, "generation"), .restarts = a->restarts};
    char slot[16], generation[24], restarts[16];
    uuid_t uuid;
    uuid_generate_time(uuid);
    uuid_unparse_lower(uuid, i.id);
    snprintf(slot, sizeof slot, "%d", i.slot);
    snprintf(generation, sizeof generation, "%" PRId64, i.generation);
    snprintf(restarts, sizeof restarts, "%d", i.restarts);
    struct json_object *ports = NULL;
    json_object_object_get_ex(s->spec, "ports", &ports);
    const char *params[DEPLOYER_INSTANCE_INSERT_P__MAX] = {
        [DEPLOYER_INSTANCE_INSERT_P_INSTANCE_ID] = i.id,
        [DEPLOYER_INSTANCE_INSERT_P_SERVICE_ID] = s->id,
        [DEPLOYER_INSTANCE_INSERT_P_SLOT] = slot,
        [DEPLOYER_INSTANCE_INSERT_P_GENERATION] = generation,
        [DEPLOYER_INSTANCE_INSERT_P_FAILURES] = restarts,
        [DEPLOYER_INSTANCE_INSERT_P_ENGINE_ID] = role->engine_id,
        [DEPLOYER_INSTANCE_INSERT_P_DEPLOYER] = role->name,
        [DEPLOYER_INSTANCE_INSERT_P_PORTS] = json_object_to_json_string(ports),
    };
    long inserted;
    enum db_status status = db_execute(role->db, DEPLOYER_INSTANCE_INSERT, params, &inserted);
    if (status == DB_CONFLICT || (status == DB_OK && inserted == 0)) {
        log_info("slot %d is taken care of by another deployer", a->slot);
        return PASS_OK;
    }
    if (status != DB_OK)
        return pass_of_db(status);
    return instance_ensure(role, s, &i);
}

/* Parameters of every statement that notes something of one instance. */
enum { NOTE_P_INSTANCE_ID, NOTE_P_DEPLOYER, NOTE_P__MAX };
#define NOTE(statement) \
    DB_SAME_PLACE(NOTE_P_INSTANCE_ID, statement##_P_INSTANCE_ID); \
    DB_SAME_PLACE(NOTE_P_DEPLOYER, statement##_P_DEPLOYER); \
    DB_SAME_PLACE(NOTE_P__MAX, statement##_P__MAX)
NOTE(DEPLOYER_INSTANCE_READY);
NOTE(DEPLOYER_INSTANCE_STOPPING);
NOTE(DEPLOYER_INSTANCE_UNROUTE);
NOTE(DEPLOYER_INSTANCE_UNROUTED);

/* Writes to one instance's row what the statement says. */
static enum pass_status instance_note(struct role *role, const struct plan_instance *i, unsigned statement)
{
    const char *params[NOTE_P__MAX] = {[NOTE_P_INSTANCE_ID] = i->id, [NOTE_P_DEPLOYER] = role->name};
    long noted = 0;
    enum db_status written = db_execute(role->db, statement, params, &noted);
    return lease_judge(written, noted, 1);
}

static enum pass_status instance_probe(struct role *role, struct service *s, const struct plan_instance *i, struct outcome *o)
{
    struct buf words = {0};
    enum probe_verdict verdict;
    enum pass_status status = probe_instance(role, s, i, &verdict, &words);
    o->unhealthy = o->unhealthy || verdict == PROBE_UNHEALTHY;
    if (status == PASS_OK && verdict == PROBE_READY) {
        status = instance_note(role, i, DEPLOYER_INSTANCE_READY);
        outcome_due(o, 0);
    } else if (o->probe_words.len == 0) {
        buf_adds(&o->probe_words, buf_text(&words));
    }
    buf_free(&words);
    return status;
}

static enum pass_status instance_term(struct role *role, struct service *s, struct plan_instance *i)
{
    enum pass_status pass = instance_note(role, i, DEPLOYER_INSTANCE_STOPPING);
    if (pass != PASS_OK)
        return pass;
    enum engine_status status = engine_container_signal(role->engine, i->container_id, "SIGTERM");
    if (engine_unusable(status))
        return pass_of_engine(role, status);
    if (status != ENGINE_OK) /* SIGKILL follows all the same */
        log_warning("instance %d gets no SIGTERM: %s", i->slot, engine_error(role->engine));
    return observe_instance(role, s, i);
}

/* Notes at the instance what the engine could not do, for the plan to try again later. */
static enum pass_status removal_failed(struct role *role, const struct plan_instance *i, const char *fault)
{
    char wait[24];
    long noted = 0;
    snprintf(wait, sizeof wait, "%" PRId64, plan_back_off(&role->settings->limits, i->removal_failures + 1));
    log_warning("the container of instance %d can't be removed: %s", i->slot, fault);
    const char *params[DEPLOYER_INSTANCE_REMOVAL_FAILED_P__MAX] = {
        [DEPLOYER_INSTANCE_REMOVAL_FAILED_P_INSTANCE_ID] = i->id,
        [DEPLOYER_INSTANCE_REMOVAL_FAILED_P_DEPLOYER] = role->name,
        [DEPLOYER_INSTANCE_REMOVAL_FAILED_P_FAULT] = fault,
        [DEPLOYER_INSTANCE_REMOVAL_FAILED_P_WAIT_MS] = wait,
    };
    enum db_status status = db_execute(role->db, DEPLOYER_INSTANCE_REMOVAL_FAILED, params, &noted);
    return lease_judge(status, noted, 1);
}

/* PLAN_KILL or PLAN_REMOVE. That one container can't be got rid of, or that its removal hangs, says nothing of the engine as long as
 * that answers, and keeps nobody from the rest of the pass. */
static enum pass_status instance_end(struct role *role, struct service *s, enum plan_step step, struct plan_instance *i)
{
    char fault[sizeof i->removal_fault];
    bool kill = step == PLAN_KILL;
    enum engine_status status = kill ? engine_container_signal(role->engine, i->container_id, "SIGKILL")
                                     : engine_container_remove(role->engine, i->container_id);
    snprintf(fault, sizeof fault, "%s", engine_error(role->engine));
    if (status == ENGINE_STOPPED || (status == ENGINE_AWAY && !role_engine_answers(role)))
        return pass_of_engine(role, status);
    if (status != ENGINE_OK)
        return removal_failed(role, i, fault);
    enum pass_status pass = observe_instance(role, s, i);
    bool done = kill ? i->state != PLAN_RUNNING && !i->runs_again : i->state == PLAN_GONE;
    return pass != PASS_OK || done ? pass : removal_failed(role, i, kill ? "it runs on after SIGKILL" : "its removal is under way");
}

static enum pass_status step_do(struct role *role, struct service *s, const struct plan_action *a, struct outcome *o)
{
    /* The plan points into s->instances, which is ours to change. */
    struct plan_instance *i = (struct plan_instance *)a->instance;
    switch (a->step) {
    case PLAN_NEW:
        return instance_new(role, s, a);
    case PLAN_ENSURE:
        return instance_ensure(role, s, i);
    case PLAN_PROBE:
        return instance_probe(role, s, i, o);
    case PLAN_UNROUTE:
        return instance_note(role, i, DEPLOYER_INSTANCE_UNROUTE);
    case PLAN_UNROUTED:
        return instance_note(role, i, DEPLOYER_INSTANCE_UNROUTED);
    case PLAN_TERM:
        return instance_term(role, s, i);
    case PLAN_KILL:
    case PLAN_REMOVE:
        return instance_end(role, s, a->step, i);
    case PLAN_FORGET:
        return observe_gone(role, s, i, "was not wanted any more");
    case PLAN_STEP__MAX:
        break;
    }
    return PASS_OK;
}

static enum pass_status plan_carry_out(struct role *role, struct service *s, const struct plan *plan, struct outcome *o)
{
    enum pass_status status = PASS_OK;
    for (size_t n = 0; n < plan->n_actions && status == PASS_OK; n++) {
        if (signals_stop())
            return PASS_STOPPED;
        status = lease_renew(role, s);
        if (status == PASS_OK)
            status = step_do(role, s, &plan->actions[n], o);
        log_set(LOG_FIELD_INSTANCE, NULL);
    }
    return status;
}

static enum pass_status volumes_remove(struct role *role, const struct service *s)
{
    if (role->settings->volumes_on_delete == VOLUMES_KEEP) {
        log_info("its volumes, if it had any, are kept");
        return PASS_OK;
    }
    return pass_of_engine(role, engine_volume_remove_all(role->engine, role->installation, s->id));
}

/* A deleted service with nothing left on the engine: its volumes go, then its row. */
static enum pass_status service_remove(struct role *role, struct service *s, struct outcome *o)
{
    enum pass_status status = lease_renew(role, s);
    if (status == PASS_OK)
        status = volumes_remove(role, s);
    if (status == PASS_OK)
        status = networks_remove(role, s);
    if (status != PASS_OK)
        return status;
    const char *params[DEPLOYER_SERVICE_REMOVE_P__MAX] = {
        [DEPLOYER_SERVICE_REMOVE_P_SERVICE_ID] = s->id,
        [DEPLOYER_SERVICE_REMOVE_P_DEPLOYER] = role->name,
        [DEPLOYER_SERVICE_REMOVE_P_REQUEST_ID] = s->request_id,
    };
    long removed;
    status = pass_of_db(db_execute(role->db, DEPLOYER_SERVICE_REMOVE, params, &removed));
    o->removed = status == PASS_OK && removed == 1;
    if (o->removed)
        log_info("removed");
    return status;
}

static enum pass_status decide_and_act(struct role *role, struct service *s, struct outcome *o)
{
    struct json_object *volumes = NULL;
    json_object_object_get_ex(s->spec, "volumes", &volumes);
    struct plan_input input = {
        .service_name = service_text(s, "name"),
        .wanted = (int)service_number(s, "wanted"),
        .generation = service_number(s, "generation"),
        .deleted = service_flag(s, "deleted"),
        .stop_first = volumes != NULL && json_object_array_length(volumes) > 0,
        .image_ready = service_text(s, "image_id")[0] != '\0',
        .front_fault = service_text(s, "front_fault"),
        .endpoint_fault = s->fault[0] != '\0' ? s->fault : service_text(s, "endpoint_fault"),
        .now_ms = clock_wall_ns() / NS_PER_MS,
        .limits = role->settings->limits,
        .instances = s->instances,
        .n_instances = s->n_instances,
    };
    struct plan plan = {0};
    plan_make(&input, &plan);
    enum pass_status status = plan.failed ? PASS_DATABASE_AWAY : plan_carry_out(role, s, &plan, o);
    o->condition = o->unhealthy ? PLAN_FAILING : plan.condition;
    buf_adds(&o->message, buf_text(&plan.message));
    if (o->probe_words.len > 0)
        buf_addf(&o->message, "%s%s", o->message.len > 0 ? " " : "", buf_text(&o->probe_words));
    if (plan.due_ms > 0)
        outcome_due(o, plan.due_ms - clock_wall_ns() / NS_PER_MS);
    if (plan.n_actions > plan.n_probes && !s->unseen)
        outcome_due(o, 0); /* what came of it is looked at in a pass of its own */
    if (s->fault[0] != '\0')
        outcome_due(o, FAULT_LOOK_MS);
    bool left = false;
    if (status == PASS_OK && plan.condition == PLAN_SETTLED)
        status = networks_prune(role, s, &left);
    if (left)
        outcome_due(o, NETWORK_LEFT_MS);
    if (status == PASS_OK && plan.needs_image)
        status = image_tend(role, s, o);
    else if (o->message.len == 0)
        buf_adds(&o->message, service_text(s, "image_note"));
    if (status == PASS_OK && input.deleted && plan.empty)
        status = service_remove(role, s, o);
    plan_free(&plan);
    return status;
}

/* --- the end of a pass --- */

/* When it is lost already, there is nothing to give back. */
static void release(struct role *role, struct service *s, int64_t due_ms, int failures)
{
    char due[24], failed[16];
    snprintf(due, sizeof due, "%" PRId64, due_ms);
    snprintf(failed, sizeof failed, "%d", failures);
    const char *params[DEPLOYER_SERVICE_RELEASE_P__MAX] = {
        [DEPLOYER_SERVICE_RELEASE_P_SERVICE_ID] = s->id,
        [DEPLOYER_SERVICE_RELEASE_P_DEPLOYER] = role->name,
        [DEPLOYER_SERVICE_RELEASE_P_WAKES] = s->wakes,
        [DEPLOYER_SERVICE_RELEASE_P_DUE_IN_MS] = due_ms >= 0 ? due : NULL,
        [DEPLOYER_SERVICE_RELEASE_P_FAILURES] = failed,
    };
    if (db_execute(role->db, DEPLOYER_SERVICE_RELEASE, params, NULL) != DB_OK)
        log_warning("the lease could not be given back and will run out: %s", db_message(role->db));
}

static enum pass_status write_status(struct role *role, struct service *s, const struct outcome *o)
{
    static const char *const names[] = {
        [PLAN_PROGRESSING] = "progressing", [PLAN_SETTLED] = "settled", [PLAN_FAILING] = "failing"};
    char generation[24];
    snprintf(generation, sizeof generation, "%" PRId64, service_number(s, "generation"));
    const char *params[DEPLOYER_STATUS_WRITE_P__MAX] = {
        [DEPLOYER_STATUS_WRITE_P_SERVICE_ID] = s->id,
        [DEPLOYER_STATUS_WRITE_P_DEPLOYER] = role->name,
        [DEPLOYER_STATUS_WRITE_P_REVISION] = s->revision,
        [DEPLOYER_STATUS_WRITE_P_CONDITION] = names[o->condition],
        [DEPLOYER_STATUS_WRITE_P_MESSAGE] = buf_text(&o->message),
        [DEPLOYER_STATUS_WRITE_P_GENERATION] = o->condition == PLAN_SETTLED ? generation : NULL,
    };
    PGresult *r;
    enum db_status status = db_run(role->db, DEPLOYER_STATUS_WRITE, params, &r);
    if (status != DB_OK)
        return pass_of_db(status);
    int written = PQntuples(r);
    PQclear(r);
    return lease_judge(DB_OK, written, 1);
}

/* After a failed pass: what is known is written, and the next try waits longer each time. */
static void pass_failed(struct role *role, struct service *s, enum pass_status status)
{
    if (status == PASS_STOPPED) {
        release(role, s, 0, s->failures);
        return;
    }
    if (status == PASS_LEASE_LOST)
        return;
    metrics_add(FIGURE_PASS_FAILURES, status == PASS_ENGINE_AWAY ? FAILURE_ENGINE : FAILURE_DATABASE, 1);
    if (status == PASS_DATABASE_AWAY)
        return; /* the lease runs out */
    int64_t wait = 1000;
    for (int i = 0; i < s->failures && wait < RETRY_MOST_MS; i++)
        wait *= 2;
    struct outcome o = {.condition = PLAN_FAILING};
    buf_addf(&o.message, "The container engine failed: %s; trying again.", engine_error(role->engine));
    log_warning("%s", buf_text(&o.message));
    if (write_status(role, s, &o) == PASS_OK)
        release(role, s, wait < RETRY_MOST_MS ? wait : RETRY_MOST_MS, s->failures + 1);
    buf_free(&o.message);
}

void reconcile_service(struct role *role, struct service *s)
{
    struct outcome o = {.due_ms = -1};
    log_set(LOG_FIELD_SERVICE, s->id);
    log_set(LOG_FIELD_REQUEST, s->request_id);
    enum pass_status status = pass_of_db(service_load(s, role->db));
    if (status == PASS_OK && !s->gone) {
        status = observe_service(role, s);
        if (status == PASS_OK)
            status = decide_and_act(role, s, &o);
        if (status == PASS_OK && !o.removed)
            status = write_status(role, s, &o);
        if (status == PASS_OK && !o.removed)
            release(role, s, o.due_ms, 0);
        else if (status != PASS_OK)
            pass_failed(role, s, status);
    }
    buf_free(&o.message);
    buf_free(&o.probe_words);
    service_free(s);
    log_clear();
}
