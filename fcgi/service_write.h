/* The statements that change a service, and the checks that need what is stored. All run inside the dispatcher's transaction;
 * each returns whether to go on, and has reported a problem if not. */
#ifndef SKYLARK_FCGI_SERVICE_WRITE_H
#define SKYLARK_FCGI_SERVICE_WRITE_H

#include "fcgi/request.h"

/* A service that is locked until the transaction ends, as far as the change of it needs to know it. */
struct service {
    char id[37];
    bool automatic, has_autoscaling;
    int64_t minimum, maximum; /* of its autoscaling */
};

/* Locks, to be taken in this order: the links of the namespace, then the service of the URL (404 when there is none), then the
 * services that link to it, when its ports change; last, by the triggers of quotas, what the namespace has
 * (sql/definitions/quotas.sql). Whoever gives linked_to_apps, or deletes a service, takes the first two. */
bool service_write_lock_links(struct request *rq);
bool service_write_lock(struct request *rq, struct service *service);
bool service_write_lock_linking(struct request *rq, const char *id, struct json_object *fields);

/* Checks the fields against the installation, and the services, volumes and domains that are there. before: the service as it
 * was, NULL on create. After the locks. */
bool service_write_check(struct request *rq, struct json_object *fields, const struct service *before);

/* The row of the service. */
bool service_write_insert(struct request *rq, const char *id, struct json_object *fields);
bool service_write_update(struct request *rq, const char *id, struct json_object *fields);

/* What stands in tables of its own, as far as it was given. created: in the same transaction, so that there is nothing yet. */
bool service_write_parts(struct request *rq, const char *id, struct json_object *fields, bool created);

bool service_write_target(struct request *rq, const char *id, const char *state);

/* Adds the names of the services that link to this one, separated by commas. After service_write_lock_links they stay the same. */
bool service_write_linked_from(struct request *rq, const char *id, struct buf *names);

/* Takes those links away. */
bool service_write_unlink(struct request *rq, const char *id);

/* Marks the service as deleted. */
bool service_write_delete(struct request *rq, const char *id);

/* Notes who did what, and why (for people). */
bool service_write_event(struct request *rq, const char *id, const char *action, const char *reason);

/* Answers with the document of the service as it is now. */
bool service_write_reply(struct request *rq, const char *id);

#endif
