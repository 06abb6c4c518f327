/* What is there: the engine's containers of a service matched with its rows. */
#include "deployer/observe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
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

/* Adds an instance as it was seen. exit_code: below 0 for not known. */
static void add_seen(struct buf *seen, const struct plan_instance *i, int exit_code)
{
    buf_addf(seen, "%s{\"id\":\"%s\",\"state\":\"%s\"", seen->len > 1 ? "," : "", i->id, state_name(i->state));
    if (i->container_id[0] != '\0')
        buf_addf(seen, ",\"container_id\":\"%s\"", i->container_id);
    add_number(seen, "started_ms", i->started_ms, i->started_ms > 0);
    add_number(seen, "finished_ms", i->finished_ms, i->finished_ms > 0);
    add_number(seen, "exit_code", exit_code, exit_code >= 0);
    if (i->reason[0] != '\0') {
        buf_adds(seen, ",\"reason\":");
        buf_add_json(seen, i->reason, strlen(i->reason));
    }
    buf_addc(seen, '}');
}

static enum pass_status write_seen(struct role *role, struct service *s, struct buf *seen)
{
    if (seen->len <= 1)
        return PASS_OK;
    buf_addc(seen, ']');
    const char *params[] = {s->id, role->name, buf_text(seen), s->request_id};
    return pass_of_db(db_execute(role->db, DEPLOYER_INSTANCES_OBSERVE, params, NULL));
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
 * it has ended. */
static void apply_inspection(const struct service *s, const struct engine_container *c, struct plan_instance *i)
{
    snprintf(i->container_id, sizeof i->container_id, "%s", c->id);
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

/* Inspects a container and adds what changed to seen. */
static enum pass_status inspect(struct role *role, struct service *s, const char *container_id, struct plan_instance *i,
                                struct buf *seen)
{
    struct engine_container c;
    enum engine_status status = engine_container_inspect(role->engine, container_id, &c);
    if (status == ENGINE_NOT_FOUND) {
        mark_gone(i, "was removed by hand");
        add_seen(seen, i, -1);
        return PASS_OK;
    }
    if (status == ENGINE_OK) {
        apply_inspection(s, &c, i);
        add_seen(seen, i, i->state == PLAN_EXITED ? c.exit_code : -1);
        engine_container_clear(&c);
    }
    return pass_of_engine(role, status);
}

static const struct engine_container *container_of(const struct engine_container_list *list, const struct plan_instance *i)
{
    for (size_t n = 0; n < list->n; n++) {
        if (strcmp(list->items[n].instance, i->id) == 0)
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

static enum pass_status match(struct role *role, struct service *s, const struct engine_container_list *list, struct buf *seen)
{
    enum pass_status status = PASS_OK;
    for (size_t n = 0; n < s->n_instances && status == PASS_OK; n++) {
        struct plan_instance *i = &s->instances[n];
        const struct engine_container *c = container_of(list, i);
        if (c != NULL && !row_agrees(i, c)) {
            status = inspect(role, s, c->id, i, seen);
        } else if (c == NULL && i->state != PLAN_INTENDED && i->state != PLAN_GONE) {
            i->vanished = i->state == PLAN_RUNNING;
            mark_gone(i, i->state == PLAN_EXITED || i->stop_requested_ms > 0 ? "" : "was removed by hand");
            add_seen(seen, i, -1);
        }
    }
    return status;
}

/* Containers that claim to be the service's, but that no row knows: nobody will ever want them. */
static enum pass_status remove_strays(struct role *role, const struct service *s, const struct engine_container_list *list)
{
    enum pass_status status = PASS_OK;
    for (size_t n = 0; n < list->n && status == PASS_OK; n++) {
        bool known = false;
        for (size_t k = 0; k < s->n_instances && !known; k++)
            known = strcmp(list->items[n].instance, s->instances[k].id) == 0;
        if (known)
            continue;
        log_warning("removing container %s, which no instance stands for", list->items[n].name);
        status = pass_of_engine(role, engine_container_remove(role->engine, list->items[n].id));
    }
    return status;
}

enum pass_status observe_service(struct role *role, struct service *s)
{
    struct engine_container_list list;
    struct buf seen = {0};
    buf_addc(&seen, '[');
    enum pass_status status =
        pass_of_engine(role, engine_container_find(role->engine, role->installation, s->id, &list));
    if (status == PASS_OK)
        status = match(role, s, &list, &seen);
    if (status == PASS_OK)
        status = write_seen(role, s, &seen);
    if (status == PASS_OK)
        status = remove_strays(role, s, &list);
    engine_container_list_free(&list);
    buf_free(&seen);
    return status;
}

enum pass_status observe_instance(struct role *role, struct service *s, struct plan_instance *i)
{
    struct buf seen = {0};
    buf_addc(&seen, '[');
    enum pass_status status = inspect(role, s, i->container_id, i, &seen);
    if (status == PASS_OK)
        status = write_seen(role, s, &seen);
    buf_free(&seen);
    return status;
}

enum pass_status observe_gone(struct role *role, struct service *s, struct plan_instance *i, const char *reason)
{
    struct buf seen = {0};
    buf_addc(&seen, '[');
    mark_gone(i, reason);
    add_seen(&seen, i, -1);
    enum pass_status status = write_seen(role, s, &seen);
    buf_free(&seen);
    return status;
}
