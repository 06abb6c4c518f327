/* One service as a reconcile pass sees it: what is wanted and what is there. */
#ifndef SKYLARK_DEPLOYER_SERVICE_H
#define SKYLARK_DEPLOYER_SERVICE_H

#include <json-c/json.h>

#include "common/db.h"
#include "deployer/plan.h"

struct service {
    char id[37];
    char revision[24], wakes[24], request_id[80]; /* of the queue's row, as claimed */
    int failures;
    int64_t leased_ms; /* monotonic: when the lease was last renewed */
    struct json_object *spec; /* what DEPLOYER_SERVICE_LOAD built */
    struct plan_instance *instances;
    size_t n_instances;
    char fault[300]; /* why an instance can't be observed, or is not in a network where it should be; "" */
    bool unseen;     /* an instance can't be observed */
    bool gone; /* the row is not there any more */
};

/* Loads spec and instances. */
enum db_status service_load(struct service *s, struct db *db) __attribute__((warn_unused_result));
void service_free(struct service *s);

/* The spec alone, as it is now: the caller puts it. NULL: the row is not there any more. */
enum db_status service_load_spec(const char *id, struct db *db, struct json_object **spec) __attribute__((warn_unused_result));

/* A text or number of the spec; "" and 0 when it is absent or null. */
const char *service_text(const struct service *s, const char *name);
int64_t service_number(const struct service *s, const char *name);
int64_t spec_number(struct json_object *spec, const char *name);
bool service_flag(const struct service *s, const char *name);

/* A list of the spec, which stays the spec's, and its length; NULL and 0 when it is absent. */
size_t service_list(const struct service *s, const char *name, struct json_object **list);
size_t spec_list(struct json_object *spec, const char *name, struct json_object **list);

/* A text of one of its items; "" when it is absent or null. */
const char *item_text(struct json_object *item, const char *name);

#endif
