/* One service as a reconcile pass sees it. */
#include "deployer/service.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/deployer_statements.h"

const char *item_text(struct json_object *item, const char *name)
{
    struct json_object *value;
    const char *text = json_object_object_get_ex(item, name, &value) ? json_object_get_string(value) : NULL;
    return text != NULL ? text : "";
}

const char *service_text(const struct service *s, const char *name)
{
    return item_text(s->spec, name);
}

size_t spec_list(struct json_object *spec, const char *name, struct json_object **list)
{
    *list = NULL;
    json_object_object_get_ex(spec, name, list);
    return json_object_is_type(*list, json_type_array) ? json_object_array_length(*list) : 0;
}

size_t service_list(const struct service *s, const char *name, struct json_object **list)
{
    return spec_list(s->spec, name, list);
}

bool service_flag(const struct service *s, const char *name)
{
    return json_object_get_boolean(json_object_object_get(s->spec, name));
}

int64_t spec_number(struct json_object *spec, const char *name)
{
    struct json_object *value;
    return json_object_object_get_ex(spec, name, &value) ? json_object_get_int64(value) : 0;
}

int64_t service_number(const struct service *s, const char *name)
{
    return spec_number(s->spec, name);
}

void service_free(struct service *s)
{
    json_object_put(s->spec);
    free(s->instances);
    s->spec = NULL;
    s->instances = NULL;
    s->n_instances = 0;
}

static enum plan_state state_of(const char *name)
{
    return strcmp(name, "intended") == 0  ? PLAN_INTENDED
           : strcmp(name, "created") == 0 ? PLAN_CREATED
           : strcmp(name, "running") == 0 ? PLAN_RUNNING
           : strcmp(name, "exited") == 0  ? PLAN_EXITED
                                          : PLAN_GONE;
}

static enum db_status instances_load(struct service *s, struct db *db)
{
    char generation[24];
    snprintf(generation, sizeof generation, "%" PRId64, service_number(s, "generation"));
    const char *params[DEPLOYER_INSTANCES_LOAD_P__MAX] = {
        [DEPLOYER_INSTANCES_LOAD_P_SERVICE_ID] = s->id,
        [DEPLOYER_INSTANCES_LOAD_P_GENERATION] = generation,
    };
    PGresult *r;
    enum db_status status = db_run(db, DEPLOYER_INSTANCES_LOAD, params, &r);
    if (status != DB_OK)
        return status;
    int n = PQntuples(r);
    s->instances = calloc((size_t)n + 1, sizeof *s->instances);
    for (int i = 0; i < n && s->instances != NULL; i++) {
        struct plan_instance *p = &s->instances[s->n_instances++];
        snprintf(p->id, sizeof p->id, "%s", db_text(r, i, DEPLOYER_INSTANCES_LOAD_C_INSTANCE_ID));
        p->slot = (int)db_int(r, i, DEPLOYER_INSTANCES_LOAD_C_SLOT);
        p->generation = db_int(r, i, DEPLOYER_INSTANCES_LOAD_C_GENERATION);
        snprintf(p->container_id, sizeof p->container_id, "%s", db_text(r, i, DEPLOYER_INSTANCES_LOAD_C_CONTAINER_ID));
        p->state = state_of(db_text(r, i, DEPLOYER_INSTANCES_LOAD_C_STATE));
        p->restarts = (int)db_int(r, i, DEPLOYER_INSTANCES_LOAD_C_RESTARTS);
        p->started_ms = db_int(r, i, DEPLOYER_INSTANCES_LOAD_C_STARTED_MS);
        p->stop_requested_ms = db_int(r, i, DEPLOYER_INSTANCES_LOAD_C_STOP_REQUESTED_MS);
        p->finished_ms = db_int(r, i, DEPLOYER_INSTANCES_LOAD_C_FINISHED_MS);
        snprintf(p->reason, sizeof p->reason, "%s", db_text(r, i, DEPLOYER_INSTANCES_LOAD_C_REASON));
        p->log_complete = db_bool(r, i, DEPLOYER_INSTANCES_LOAD_C_LOG_COMPLETE);
        p->vanished = db_bool(r, i, DEPLOYER_INSTANCES_LOAD_C_VANISHED);
        p->ready_ms = db_int(r, i, DEPLOYER_INSTANCES_LOAD_C_READY_MS);
        p->unroute_ms = db_int(r, i, DEPLOYER_INSTANCES_LOAD_C_UNROUTE_REQUESTED_MS);
        p->fronted = db_bool(r, i, DEPLOYER_INSTANCES_LOAD_C_FRONTED);
        p->route_served = db_bool(r, i, DEPLOYER_INSTANCES_LOAD_C_ROUTE_SERVED);
        p->drained = db_bool(r, i, DEPLOYER_INSTANCES_LOAD_C_DRAINED);
        p->unrouted_ms = db_int(r, i, DEPLOYER_INSTANCES_LOAD_C_UNROUTED_MS);
        p->removal_failures = (int)db_int(r, i, DEPLOYER_INSTANCES_LOAD_C_REMOVAL_FAILURES);
        p->removal_due_ms = db_int(r, i, DEPLOYER_INSTANCES_LOAD_C_REMOVAL_DUE_MS);
        snprintf(p->removal_fault, sizeof p->removal_fault, "%s", db_text(r, i, DEPLOYER_INSTANCES_LOAD_C_REMOVAL_FAULT));
        snprintf(p->tcp_ports, sizeof p->tcp_ports, "%s", db_text(r, i, DEPLOYER_INSTANCES_LOAD_C_TCP_PORTS));
    }
    PQclear(r);
    return s->instances != NULL ? DB_OK : DB_FAILED;
}

enum db_status service_load_spec(const char *id, struct db *db, struct json_object **spec)
{
    const char *params[DEPLOYER_SERVICE_LOAD_P__MAX] = {[DEPLOYER_SERVICE_LOAD_P_SERVICE_ID] = id};
    PGresult *r;
    *spec = NULL;
    enum db_status status = db_run(db, DEPLOYER_SERVICE_LOAD, params, &r);
    if (status != DB_OK)
        return status;
    if (PQntuples(r) > 0) {
        *spec = json_tokener_parse(db_text(r, 0, DEPLOYER_SERVICE_LOAD_C_SPEC));
        status = *spec != NULL ? DB_OK : DB_FAILED;
    }
    PQclear(r);
    return status;
}

enum db_status service_load(struct service *s, struct db *db)
{
    enum db_status status = service_load_spec(s->id, db, &s->spec);
    s->gone = status == DB_OK && s->spec == NULL;
    return status == DB_OK && !s->gone ? instances_load(s, db) : status;
}
