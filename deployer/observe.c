/* What is there: the engine's containers of a service matched with its rows. */
#include "deployer/observe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "deployer/networks.h"
#include "gen/deployer_statements.h"

#define NS_PER_MS 1000000

enum pass_status pass_of_db(enum db_status status)
{
    return status == DB_OK ? PASS_OK : PASS_DATABASE_AWAY;
}

enum pass_status pass_of_engine(struct role *role, enum engine_status status)
{
    if (status == ENGINE_OK)
        return PASS_OK;
    if (status == ENGINE_STOPPED)
        return PASS_STOPPED;
    if (status == ENGINE_AWAY)
        role_engine_away(role);
    return PASS_ENGINE_AWAY;
}

static const char *state_name(enum plan_state state)
{
    switch (state) {
    case PLAN_INTENDED:
        return "intended";
    case PLAN_CREATED:
        return "created";
    case PLAN_RUNNING:
        return "running";
    case PLAN_EXITED:
        return "exited";
    case PLAN_GONE:
    case PLAN_STATE__MAX:
        break;
    }
    return "removed";
}

/* Adds a member only when it is known: an absent one leaves the row's value. */
static void add_number(struct buf *b, const char *name, int64_t number, bool known)
{
    if (known)
        buf_addf(b, ",\"%s\":%" PRId64, name, number);
}

/* Where it is reached. */
static void add_addresses(struct buf *seen, const struct engine_container *c)
{
    if (c->address[0] == '\0')
        return;
    buf_addf(seen, ",\"address\":\"%s\",\"published\":[", c->address);
    for (size_t i = 0; i < c->n_published; i++) {
        const struct engine_published *p = &c->published[i];
        buf_addf(seen, "%s{\"container_port\":%d,\"protocol\":\"%s\",\"address\":\"%s\",\"port\":%d}", i > 0 ? "," : "",
                 p->container_port, p->protocol, p->address, p->port);
    }
    buf_addc(seen, ']');
}

/* An instance as it was seen, as JSON; c: its container, NULL when it is gone. */
static void add_seen(struct buf *seen, const struct plan_instance *i, const struct engine_container *c)
{
    int exit_code = c != NULL && i->state == PLAN_EXITED ? c->exit_code : -1;
    buf_addf(seen, "{\"id\":\"%s\",\"state\":\"%s\"", i->id, state_name(i->state));
    if (i->container_id[0] != '\0')
        buf_addf(seen, ",\"container_id\":\"%s\"", i->container_id);
    add_number(seen, "started_ms", i->started_ms, i->started_ms > 0);
    add_number(seen, "finished_ms", i->finished_ms, i->finished_ms > 0);
    add_number(seen, "exit_code", exit_code, exit_code >= 0);
    if (c != NULL)
        add_addresses(seen, c);
    if (i->reason[0] != '\0') {
        buf_adds(seen, ",\"reason\":");
        buf_add_json(seen, i->reason, strlen(i->reason));
    }
    buf_addc(seen, '}');
}

/* What could not be seen or noted of one instance: it is looked at again later, and the pass goes on with the others. */
static void note_unseen(struct service *s, const struct plan_instance *i, const char *words)
{
    s->unseen = true;
    log_warning("instance %d: %s", i->slot, words);
    if (s->fault[0] == '\0')
        snprintf(s->fault, sizeof s->fault, "Instance %s.%d can't be observed: %s.", service_text(s, "name"), i->slot, words);
}

/* Writes what was seen of one instance. Each goes by itself, so that a row that can't be written keeps no other from it. */
static enum pass_status write_seen(struct role *role, struct service *s, const struct plan_instance *i,
                                   const struct engine_container *c)
{
    struct buf seen = {0};
    PGresult *r;
    buf_addc(&seen, '[');
    add_seen(&seen, i, c);
    buf_addc(&seen, ']');
    const char *params[DEPLOYER_INSTANCES_OBSERVE_P__MAX] = {
        [DEPLOYER_INSTANCES_OBSERVE_P_SERVICE_ID] = s->id,
        [DEPLOYER_INSTANCES_OBSERVE_P_DEPLOYER] = role->name,
        [DEPLOYER_INSTANCES_OBSERVE_P_INSTANCES] = buf_text(&seen),
        [DEPLOYER_INSTANCES_OBSERVE_P_REQUEST_ID] = s->request_id,
    };
    bool complete = !seen.failed;
    enum db_status status = complete ? db_run(role->db, DEPLOYER_INSTANCES_OBSERVE, params, &r) : DB_FAILED;
    buf_free(&seen);
    if (complete && (status == DB_CONFLICT || status == DB_REFUSED || status == DB_FAILED)) {
        note_unseen(s, i, db_message(role->db));
        return PASS_OK;
    }
    if (status != DB_OK)
        return pass_of_db(status);
    long written = (long)db_int(r, 0, DEPLOYER_INSTANCES_OBSERVE_C_CHANGED);
    PQclear(r);
    return lease_judge(DB_OK, written, 1);
}

/* Why a container ended, in words that end a sentence beginning with the instance's name. */
static void describe_end(const struct service *s, const struct engine_container *c, struct plan_instance *i)
{
    if (c->oom_killed)
        snprintf(i->reason, sizeof i->reason, "was killed for exceeding its memory limit of %" PRId64 " MiB (size %s)",
                 service_number(s, "memory_bytes") >> 20, service_text(s, "size"));
    else if (c->error[0] != '\0')
        snprintf(i->reason, sizeof i->reason, "could not be started: %s", c->error);
    else if (c->exit_code > 128 && c->exit_code <= 128 + 64)
        snprintf(i->reason, sizeof i->reason, "was ended by signal %d", c->exit_code - 128);
    else
        snprintf(i->reason, sizeof i->reason, "ended with exit code %d", c->exit_code);
}

/* Takes over what an inspection says. A container that failed to start is "created" to the engine, with an error: for us
 * it has ended. An instance that has ended stays so: another one may have its place. Its container that runs again, as somebody
 * started it by hand, is ended again. */
static void apply_inspection(const struct service *s, const struct engine_container *c, struct plan_instance *i)
{
    bool ended = i->state == PLAN_EXITED;
    snprintf(i->container_id, sizeof i->container_id, "%s", c->id);
    i->runs_again = ended && c->state == ENGINE_RUNNING;
    if (ended)
        return;
    i->state = c->state == ENGINE_RUNNING ? PLAN_RUNNING : c->state == ENGINE_CREATED ? PLAN_CREATED : PLAN_EXITED;
    if (i->state == PLAN_CREATED && c->error[0] != '\0')
        i->state = PLAN_EXITED;
    if (c->started_ns > 0)
        i->started_ms = c->started_ns / NS_PER_MS;
    if (i->state != PLAN_EXITED)
        return;
    i->finished_ms = (c->finished_ns > 0 ? c->finished_ns : clock_wall_ns()) / NS_PER_MS;
    describe_end(s, c, i);
}

static void mark_gone(struct plan_instance *i, const char *reason)
{
    if (i->finished_ms == 0)
        i->finished_ms = clock_wall_ns() / NS_PER_MS;
    if (i->reason[0] == '\0')
        snprintf(i->reason, sizeof i->reason, "%s", reason);
    i->state = PLAN_GONE;
}

/* Inspects a container and writes what changed. */
static enum pass_status inspect(struct role *role, struct service *s, const char *container_id, struct plan_instance *i)
{
    struct engine_container c;
    enum pass_status pass = lease_keep(role, s);
    if (pass != PASS_OK)
        return pass;
    enum engine_status status = engine_container_inspect(role->engine, container_id, &c);
    if (status == ENGINE_NOT_FOUND) {
        mark_gone(i, "was removed from the engine");
        return write_seen(role, s, i, NULL);
    }
    if (engine_unusable(status))
        return pass_of_engine(role, status);
    if (status != ENGINE_OK) {
        note_unseen(s, i, engine_error(role->engine));
        return PASS_OK;
    }
    bool ended = i->state == PLAN_EXITED;
    apply_inspection(s, &c, i);
    if (!ended)
        pass = write_seen(role, s, i, &c);
    engine_container_clear(&c);
    return pass;
}

/* Whether a container is that of an instance: it bears the instance's id, and once the row has a container, it is that one. */
static bool is_container_of(const struct engine_container *c, const struct plan_instance *i)
{
    return i->state != PLAN_GONE && strcmp(c->instance, i->id) == 0 &&
           (i->container_id[0] == '\0' || strcmp(c->id, i->container_id) == 0);
}

static const struct engine_container *container_of(const struct engine_container_list *list, const struct plan_instance *i)
{
    for (size_t n = 0; n < list->n; n++) {
        if (is_container_of(&list->items[n], i))
            return &list->items[n];
    }
    return NULL;
}

/* Whether the row says already what the list shows. */
static bool row_agrees(const struct plan_instance *i, const struct engine_container *c)
{
    if (i->state == PLAN_EXITED)
        return c->state != ENGINE_RUNNING;
    return (i->state == PLAN_RUNNING && c->state == ENGINE_RUNNING && i->started_ms > 0) ||
           (i->state == PLAN_CREATED && c->state == ENGINE_CREATED);
}

/* One that gets requests, and whose health check has begun to say unhealthy: it gets none until it says otherwise. */
static enum pass_status note_unhealthy(struct role *role, struct plan_instance *i)
{
    const char *params[DEPLOYER_INSTANCE_UNREADY_P__MAX] = {
        [DEPLOYER_INSTANCE_UNREADY_P_INSTANCE_ID] = i->id,
        [DEPLOYER_INSTANCE_UNREADY_P_DEPLOYER] = role->name,
    };
    long noted = 0;
    enum db_status status = db_execute(role->db, DEPLOYER_INSTANCE_UNREADY, params, &noted);
    i->ready_ms = 0;
    return lease_judge(status, noted, 1);
}

static bool is_ailing(const struct plan_instance *i, const struct engine_container *c)
{
    return c->state == ENGINE_RUNNING && c->health == ENGINE_HEALTH_BAD && i->state == PLAN_RUNNING && i->ready_ms > 0 &&
           i->unroute_ms == 0 && i->stop_requested_ms == 0;
}

static enum pass_status match(struct role *role, struct service *s, const struct engine_container_list *list)
{
    enum pass_status status = PASS_OK;
    for (size_t n = 0; n < s->n_instances && status == PASS_OK; n++) {
        struct plan_instance *i = &s->instances[n];
        const struct engine_container *c = container_of(list, i);
        if (c != NULL && !row_agrees(i, c)) {
            status = inspect(role, s, c->id, i);
        } else if (c != NULL && is_ailing(i, c)) {
            status = note_unhealthy(role, i);
        } else if (c == NULL && i->state != PLAN_INTENDED && i->state != PLAN_GONE) {
            i->vanished = i->state == PLAN_RUNNING;
            mark_gone(i, i->state == PLAN_EXITED || i->stop_requested_ms > 0 ? "" : "was removed from the engine");
            status = write_seen(role, s, i, NULL);
        }
    }
    return status;
}

/* Takes strays off the list, containers that no live row of the service stands for: the watcher removes them, and until then
 * nothing is done for them. */
static void drop_strays(const struct service *s, struct engine_container_list *list)
{
    size_t kept = 0;
    for (size_t n = 0; n < list->n; n++) {
        struct engine_container c = list->items[n];
        bool live = false;
        for (size_t k = 0; k < s->n_instances && !live; k++)
            live = is_container_of(&c, &s->instances[k]);
        if (live)
            list->items[kept++] = c;
        else
            engine_container_clear(&c);
    }
    list->n = kept;
}

enum pass_status observe_service(struct role *role, struct service *s)
{
    struct engine_container_list list = {0};
    enum pass_status status = lease_keep(role, s);
    if (status == PASS_OK)
        status = pass_of_engine(role, engine_container_find(role->engine, role->installation, s->id, &list));
    if (status == PASS_OK)
        status = match(role, s, &list);
    drop_strays(s, &list);
    if (status == PASS_OK)
        status = networks_keep(role, s, &list);
    engine_container_list_free(&list);
    return status;
}

enum pass_status observe_instance(struct role *role, struct service *s, struct plan_instance *i)
{
    return inspect(role, s, i->container_id, i);
}

enum pass_status observe_gone(struct role *role, struct service *s, struct plan_instance *i, const char *reason)
{
    mark_gone(i, reason);
    return write_seen(role, s, i, NULL);
}
