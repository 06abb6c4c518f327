/* What changes a service: create, update, start, stop, delete. The body is checked before the transaction begins; the handlers
 * run inside it, after the dispatcher has made sure that the caller may write. */
#include <string.h>
#include <uuid/uuid.h>

#include "fcgi/handlers.h"
#include "fcgi/service_fields.h"
#include "fcgi/service_write.h"

/* What the body asks for, as far as the body itself tells. rq->asked: the checked fields. */
static void parse_fields(struct request *rq, enum fields_mode mode)
{
    struct json_object *body = request_json(rq);
    if (body == NULL)
        return;
    struct json_object *fields = fields_check(service_fields, service_n_fields, body, mode, &rq->problem);
    service_fields_check_rules(fields, rq->namespace_name, mode == FIELDS_CREATE ? NULL : rq->service_name, &rq->problem);
    if (arena_own(&rq->arena, request_put_json, fields))
        rq->asked = fields;
}

void parse_service_create(struct request *rq)
{
    parse_fields(rq, FIELDS_CREATE);
}

void parse_service_update(struct request *rq)
{
    parse_fields(rq, FIELDS_UPDATE);
}

/* Answers with the document of the service as it is now, unless the operator's clients want nothing. */
static bool reply(struct request *rq, const char *id, const char *status)
{
    bool nothing = rq->settings->no_content_on_write;
    rq->status = nothing ? "204 No Content" : status;
    return nothing || service_write_reply(rq, id);
}

static bool lock_links(struct request *rq, struct json_object *fields)
{
    struct json_object *links;
    return !json_object_object_get_ex(fields, "linked_to_apps", &links) || json_object_object_length(links) == 0 ||
           service_write_lock_links(rq);
}

void handle_service_create(struct request *rq, const PGresult *result)
{
    (void)result;
    struct json_object *fields = rq->asked;
    char id[UUID_STR_LEN];
    uuid_t uuid;
    uuid_generate_random(uuid);
    uuid_unparse_lower(uuid, id);
    if (lock_links(rq, fields) && service_write_check(rq, fields, NULL) && service_write_insert(rq, id, fields) &&
        service_write_parts(rq, id, fields, true) && service_write_event(rq, id, "service_created", "") && reply(rq, id, "201 Created"))
        buf_addf(&rq->headers, "Location: /v1/services/%s/%s/\r\n", rq->namespace_name,
                 service_fields_text(fields, "service_name"));
}

/* Which fields an event names: never their values, which may be secret. */
static void list_names(struct json_object *fields, struct buf *out)
{
    json_object_object_foreach(fields, name, value)
    {
        (void)value;
        buf_addf(out, "%s%s", out->len > 0 ? ", " : "", name);
    }
}

void handle_service_update(struct request *rq, const PGresult *result)
{
    (void)result;
    struct json_object *fields = rq->asked;
    struct service s;
    struct buf names = {0};
    list_names(fields, &names);
    if (lock_links(rq, fields) && service_write_lock(rq, &s) && service_write_lock_linking(rq, s.id, fields) &&
        service_write_check(rq, fields, &s) &&
        service_write_update(rq, s.id, fields) && service_write_parts(rq, s.id, fields, false) &&
        service_write_event(rq, s.id, "service_updated", buf_text(&names)))
        reply(rq, s.id, "200 OK");
    buf_free(&names);
}

static void set_target(struct request *rq, const char *state, const char *action)
{
    struct service s;
    if (service_write_lock(rq, &s) && service_write_target(rq, s.id, state) && service_write_event(rq, s.id, action, ""))
        reply(rq, s.id, "200 OK");
}

void handle_service_start(struct request *rq, const PGresult *result)
{
    (void)result;
    set_target(rq, "STARTED", "service_start_requested");
}

void handle_service_stop(struct request *rq, const PGresult *result)
{
    (void)result;
    set_target(rq, "STOPPED", "service_stop_requested");
}

/* rq->asked: a bool, whether links to the service are taken away. */
void parse_service_delete(struct request *rq)
{
    const char *force = form_get(&rq->query, "force");
    bool *unlink = rq->asked = arena_alloc(&rq->arena, sizeof *unlink);
    if (unlink == NULL)
        return;
    if (force == NULL)
        *unlink = rq->settings->delete_linked == DELETE_LINKED_ALLOW;
    else if (strcmp(force, "true") == 0)
        *unlink = true;
    else if (strcmp(force, "false") != 0)
        problem_add(&rq->problem, "force", "must be true or false");
}

/* Deals with the links that lead to the service; reason gets what is worth a note. */
static bool take_links(struct request *rq, const char *id, struct buf *reason)
{
    const bool *unlink = rq->asked;
    struct buf names = {0};
    bool going = service_write_linked_from(rq, id, &names);
    if (going && names.len > 0 && !*unlink) {
        problem_set(&rq->problem, PROBLEM_CONFLICT,
                    "Services link to it: %s. Take those links away first, or have it done by ?force=true.", buf_text(&names));
        going = false;
    } else if (going && names.len > 0) {
        buf_addf(reason, "links from %s taken away", buf_text(&names));
        going = service_write_unlink(rq, id);
    }
    buf_free(&names);
    return going;
}

void handle_service_delete(struct request *rq, const PGresult *result)
{
    (void)result;
    struct service s;
    struct buf reason = {0};
    if (service_write_lock_links(rq) && service_write_lock(rq, &s) && take_links(rq, s.id, &reason) &&
        service_write_event(rq, s.id, "service_delete_requested", buf_text(&reason)) && service_write_delete(rq, s.id))
        rq->status = "204 No Content";
    buf_free(&reason);
}
