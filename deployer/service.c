/* One service as a reconcile pass sees it. */
#include "deployer/service.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/shellwords.h"
#include "gen/deployer_statements.h"

const char *service_text(const struct service *s, const char *name)
{
    struct json_object *value;
    const char *text = json_object_object_get_ex(s->spec, name, &value) ? json_object_get_string(value) : NULL;
    return text != NULL ? text : "";
}

int64_t service_number(const struct service *s, const char *name)
{
    struct json_object *value;
    return json_object_object_get_ex(s->spec, name, &value) ? json_object_get_int64(value) : 0;
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

static int64_t number_at(const PGresult *r, int row, int column)
{
    return strtoll(PQgetvalue(r, row, column), NULL, 10);
}

static enum db_status instances_load(struct service *s, struct db *db)
{
    char generation[24];
    snprintf(generation, sizeof generation, "%" PRId64, service_number(s, "generation"));
    const char *params[] = {s->id, generation};
    PGresult *r;
    enum db_status status = db_run(db, DEPLOYER_INSTANCES_LOAD, params, &r);
    if (status != DB_OK)
        return status;
    int n = PQntuples(r);
    s->instances = calloc((size_t)n + 1, sizeof *s->instances);
    for (int i = 0; i < n && s->instances != NULL; i++) {
        struct plan_instance *p = &s->instances[s->n_instances++];
        snprintf(p->id, sizeof p->id, "%s", PQgetvalue(r, i, 0));
        p->slot = (int)number_at(r, i, 1);
        p->generation = number_at(r, i, 2);
        snprintf(p->container_id, sizeof p->container_id, "%s", PQgetvalue(r, i, 3));
        p->state = state_of(PQgetvalue(r, i, 4));
        p->restarts = (int)number_at(r, i, 5);
        p->started_ms = number_at(r, i, 6);
        p->stop_requested_ms = number_at(r, i, 7);
        p->finished_ms = number_at(r, i, 8);
        snprintf(p->reason, sizeof p->reason, "%s", PQgetvalue(r, i, 9));
        p->log_complete = PQgetvalue(r, i, 10)[0] == 't';
        p->vanished = PQgetvalue(r, i, 11)[0] == 't';
    }
    PQclear(r);
    return s->instances != NULL ? DB_OK : DB_FAILED;
}

enum db_status service_load(struct service *s, struct db *db)
{
    const char *params[] = {s->id};
    PGresult *r;
    enum db_status status = db_run(db, DEPLOYER_SERVICE_LOAD, params, &r);
    if (status != DB_OK)
        return status;
    s->gone = PQntuples(r) == 0;
    if (!s->gone)
        s->spec = json_tokener_parse(PQgetvalue(r, 0, 0));
    PQclear(r);
    if (s->gone)
        return DB_OK;
    return s->spec != NULL ? instances_load(s, db) : DB_FAILED;
}

static size_t array_length(const struct service *s, const char *name, struct json_object **array)
{
    *array = NULL;
    json_object_object_get_ex(s->spec, name, array);
    return json_object_is_type(*array, json_type_array) ? json_object_array_length(*array) : 0;
}

static int fill_environment(const struct service *s, struct service_container *made)
{
    struct json_object *array;
    size_t n = array_length(s, "environment", &array);
    made->environment = calloc(n + 1, sizeof *made->environment);
    for (size_t i = 0; i < n && made->environment != NULL; i++)
        made->environment[i] = json_object_get_string(json_object_array_get_idx(array, i));
    return made->environment != NULL ? 0 : -1;
}

static int fill_mounts(const struct service *s, int slot, const char *driver, struct service_container *made, size_t *n_mounts)
{
    struct json_object *array, *id = NULL, *path = NULL;
    size_t n = array_length(s, "volumes", &array);
    made->mounts = calloc(n + 1, sizeof *made->mounts);
    made->volume_names = calloc(n + 1, sizeof *made->volume_names);
    *n_mounts = n;
    if (made->mounts == NULL || made->volume_names == NULL)
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct json_object *volume = json_object_array_get_idx(array, i);
        json_object_object_get_ex(volume, "id", &id);
        json_object_object_get_ex(volume, "path", &path);
        snprintf(made->volume_names[i], sizeof made->volume_names[i], "skylark-%s-%d-%s", s->id, slot,
                 json_object_get_string(id));
        made->mounts[i] = (struct engine_mount){made->volume_names[i], driver, json_object_get_string(path)};
    }
    return 0;
}

int service_container(const struct service *s, const struct plan_instance *instance, const char *volume_driver,
                      struct service_container *made, struct engine_container_spec *spec)
{
    *made = (struct service_container){0};
    size_t n_mounts = 0, n_words = 0;
    const char *fault;
    const char *namespace_name = service_text(s, "namespace"), *name = service_text(s, "name");
    if (fill_environment(s, made) != 0 || fill_mounts(s, instance->slot, volume_driver, made, &n_mounts) != 0 ||
        shellwords_split(service_text(s, "run_command"), &made->command, &n_words, &fault) != 0)
        return -1;
    snprintf(made->name, sizeof made->name, "%s.%s.%d.%.8s", namespace_name, name, instance->slot, instance->id);
    snprintf(made->hostname, sizeof made->hostname, "%.52s-%d", name, instance->slot);
    *spec = (struct engine_container_spec){
        .name = made->name,
        .image = service_text(s, "image_id"),
        .service = s->id,
        .instance = instance->id,
        .namespace_name = namespace_name,
        .service_name = name,
        .generation = instance->generation,
        .slot = instance->slot,
        .hostname = made->hostname,
        .environment = made->environment,
        .command = n_words > 0 ? (const char *const *)made->command : NULL,
        .memory_bytes = service_number(s, "memory_bytes"),
        .pids_limit = service_number(s, "pids_limit"),
        .mounts = made->mounts,
        .n_mounts = n_mounts,
    };
    return 0;
}

void service_container_clear(struct service_container *made)
{
    free(made->environment);
    shellwords_free(made->command);
    free(made->mounts);
    free(made->volume_names);
    *made = (struct service_container){0};
}
