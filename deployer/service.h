/* One service as a reconcile pass sees it: what is wanted and what is there. */
#ifndef SKYLARK_DEPLOYER_SERVICE_H
#define SKYLARK_DEPLOYER_SERVICE_H

#include <json-c/json.h>

#include "common/db.h"
#include "deployer/plan.h"
#include "engine/engine.h"

struct service {
    char id[37];
    char revision[24], wakes[24], request_id[80]; /* of the queue's row, as claimed */
    int failures;
    int64_t leased_ms; /* monotonic: when the lease was last renewed */
    struct json_object *spec; /* what DEPLOYER_SERVICE_LOAD built */
    struct plan_instance *instances;
    size_t n_instances;
    bool gone; /* the row is not there any more */
};

/* Loads spec and instances. */
enum db_status service_load(struct service *s, struct db *db) __attribute__((warn_unused_result));
void service_free(struct service *s);

/* A text or number of the spec; "" and 0 when it is absent or null. */
const char *service_text(const struct service *s, const char *name);
int64_t service_number(const struct service *s, const char *name);

/* Fills a container's spec for an instance. What it points to lives in the service and in made, which
 * service_container_clear frees. Returns -1 when memory ran out or the run_command can't be split. */
struct service_container {
    char name[160], hostname[64], generation[24];
    const char **environment;
    char **command;
    struct engine_mount *mounts;
    char (*volume_names)[96];
};
int service_container(const struct service *s, const struct plan_instance *instance, const char *volume_driver,
                      struct service_container *made, struct engine_container_spec *spec) __attribute__((warn_unused_result));
void service_container_clear(struct service_container *made);

#endif
