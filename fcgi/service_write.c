/* The statements that change a service. */
#include "fcgi/service_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/service_fields.h"
#include "gen/api_statements.h"

/* Runs a statement for its effect. Returns whether it took place; a problem is reported if not. */
static bool change(struct request *rq, unsigned statement, const char *const *params)
{
    enum db_status status = db_execute(rq->db, statement, params, NULL);
    if (status != DB_OK)
        request_db_problem(rq, status);
    return status == DB_OK;
}

/* Runs a statement and copies the column of its first row ("" for none or null) to out, which the caller frees. */
static bool ask(struct request *rq, unsigned statement, const char *const *params, int column, struct buf *out)
{
    PGresult *result;
    enum db_status status = db_run(rq->db, statement, params, &result);
    request_db_problem(rq, status);
    if (status == DB_OK && PQntuples(result) > 0)
        db_add(out, result, 0, column);
    PQclear(result);
    return status == DB_OK;
}

bool service_write_lock_links(struct request *rq)
{
    const char *params[API_LINKS_LOCK_P__MAX] = {[API_LINKS_LOCK_P_NAMESPACE_ID] = rq->access.namespace_id};
    return change(rq, API_LINKS_LOCK, params);
}

bool service_write_lock(struct request *rq, struct service *s)
{
    const char *params[API_SERVICE_LOCK_P__MAX] = {
        [API_SERVICE_LOCK_P_NAMESPACE_ID] = rq->access.namespace_id,
        [API_SERVICE_LOCK_P_SERVICE_NAME] = rq->service_name,
    };
    PGresult *result;
    enum db_status status = db_run(rq->db, API_SERVICE_LOCK, params, &result);
    request_db_problem(rq, status);
    bool found = status == DB_OK && PQntuples(result) > 0;
    if (status == DB_OK && !found)
        problem_set(&rq->problem, PROBLEM_NOT_FOUND, "No such service.");
    if (found) {
        snprintf(s->id, sizeof s->id, "%s", db_text(result, 0, API_SERVICE_LOCK_C_SERVICE_ID));
        s->automatic = strcmp(db_text(result, 0, API_SERVICE_LOCK_C_SCALING_MODE), "AUTO") == 0;
        s->has_autoscaling = !db_null(result, 0, API_SERVICE_LOCK_C_MINIMUM_NUM_INSTANCES);
        s->minimum = db_int(result, 0, API_SERVICE_LOCK_C_MINIMUM_NUM_INSTANCES);
        s->maximum = db_int(result, 0, API_SERVICE_LOCK_C_MAXIMUM_NUM_INSTANCES);
    }
    PQclear(result);
    return found;
}

/* Turns a broken unique constraint into words; what belongs to another namespace is not named. */
static void report_conflict(struct request *rq, struct json_object *fields)
{
    const char *constraint = db_constraint(rq->db);
    const char *name = service_fields_text(fields, "service_name");
    if (strcmp(constraint, "services_namespace_id_name_key") == 0)
        problem_set(&rq->problem, PROBLEM_CONFLICT, "App %s already exists: the namespace %s has a service of that name.", name,
                    rq->namespace_name);
    else if (strcmp(constraint, "services_domain_label_key") == 0)
        problem_set(&rq->problem, PROBLEM_CONFLICT,
                    "The domain name of a service named %s in %s is in use by another service; choose another name.", name,
                    rq->namespace_name);
    else if (strcmp(constraint, "custom_domains_pkey") == 0)
        problem_set(&rq->problem, PROBLEM_CONFLICT, "One of the custom domain names %s is in use by another service.",
                    service_fields_text(fields, "custom_domain_name"));
    else if (strcmp(constraint, "ports_service_port_range") == 0)
        problem_set(&rq->problem, PROBLEM_CONFLICT, "No public port can be reserved: %s.", db_message(rq->db));
    else
        request_db_problem(rq, DB_CONFLICT);
}

/* Runs a statement that writes what was asked for. */
static bool write_fields(struct request *rq, unsigned statement, const char *const *params, struct json_object *fields)
{
    enum db_status status = db_execute(rq->db, statement, params, NULL);
    if (status == DB_CONFLICT)
        report_conflict(rq, fields);
    else
        request_db_problem(rq, status);
    return status == DB_OK;
}

/* Columns of every statement that looks for faults. */
enum { FAULTS_C_FIELD, FAULTS_C_FAULT };
DB_SAME_PLACE(FAULTS_C_FIELD, API_LINKS_MISSING_C_FIELD);
DB_SAME_PLACE(FAULTS_C_FAULT, API_LINKS_MISSING_C_FAULT);
DB_SAME_PLACE(FAULTS_C_FIELD, API_LINKS_CIRCLE_C_FIELD);
DB_SAME_PLACE(FAULTS_C_FAULT, API_LINKS_CIRCLE_C_FAULT);
DB_SAME_PLACE(FAULTS_C_FIELD, API_VOLUMES_FAULTS_C_FIELD);
DB_SAME_PLACE(FAULTS_C_FAULT, API_VOLUMES_FAULTS_C_FAULT);

/* Reports each fault that a statement finds: rows of its place in the body and of what is wrong there. */
static void report_faults(struct request *rq, unsigned statement, const char *const *params)
{
    PGresult *result;
    enum db_status status = db_run(rq->db, statement, params, &result);
    request_db_problem(rq, status);
    for (int i = 0; status == DB_OK && i < PQntuples(result); i++)
        problem_add(&rq->problem, db_text(result, i, FAULTS_C_FIELD), "%s", db_text(result, i, FAULTS_C_FAULT));
    PQclear(result);
}

/* Reports every linked service that is not there. */
static void check_links_exist(struct request *rq, struct json_object *fields)
{
    const char *links = service_fields_text(fields, "linked_to_apps");
    const char *params[API_LINKS_MISSING_P__MAX] = {
        [API_LINKS_MISSING_P_NAMESPACE_ID] = rq->access.namespace_id,
        [API_LINKS_MISSING_P_WANTED] = links,
    };
    if (links != NULL && strcmp(links, "{ }") != 0)
        report_faults(rq, API_LINKS_MISSING, params);
}

/* Reports every link just written by which the service, over others, reaches itself. */
static void check_links_circle(struct request *rq, const char *id, struct json_object *fields)
{
    const char *params[API_LINKS_CIRCLE_P__MAX] = {[API_LINKS_CIRCLE_P_SERVICE_ID] = id};
    if (service_fields_text(fields, "linked_to_apps") != NULL)
        report_faults(rq, API_LINKS_CIRCLE, params);
}

/* Reports volumes of a type that is not there, and what can't be changed of those that are. */
static void check_volumes(struct request *rq, struct json_object *fields, const char *id)
{
    const char *volumes = service_fields_text(fields, "volumes");
    const char *params[API_VOLUMES_FAULTS_P__MAX] = {
        [API_VOLUMES_FAULTS_P_SERVICE_ID] = id,
        [API_VOLUMES_FAULTS_P_WANTED] = volumes,
    };
    if (volumes != NULL)
        report_faults(rq, API_VOLUMES_FAULTS, params);
}

/* A name that leads to another service is a conflict; all of them are named. */
static void check_domains_free(struct request *rq, struct json_object *fields, const char *id)
{
    const char *names = service_fields_text(fields, "custom_domain_name");
    const char *params[API_DOMAINS_TAKEN_P__MAX] = {
        [API_DOMAINS_TAKEN_P_SERVICE_ID] = id,
        [API_DOMAINS_TAKEN_P_WANTED] = names,
    };
    struct buf taken = {0};
    if (names != NULL && ask(rq, API_DOMAINS_TAKEN, params, API_DOMAINS_TAKEN_C_NAMES, &taken) && taken.len > 0)
        problem_set(&rq->problem, PROBLEM_CONFLICT, "In use by another service: %s.", buf_text(&taken));
    buf_free(&taken);
}

/* Whether the service is AUTO once the change is made. */
static bool becomes_automatic(struct json_object *fields, const struct service *before)
{
    const char *mode = service_fields_text(fields, "scaling_mode");
    return mode != NULL ? strcmp(mode, "AUTO") == 0 : before->automatic;
}

/* AUTO needs thresholds, which may have been there before. */
static void check_mode(struct request *rq, struct json_object *fields, const struct service *before)
{
    struct json_object *config;
    bool given = json_object_object_get_ex(fields, "autoscaling_config", &config);
    bool thresholds = given ? json_object_object_length(config) > 0 : before->has_autoscaling;
    if (becomes_automatic(fields, before) && !thresholds)
        problem_add(&rq->problem, "autoscaling_config", "must be given while scaling_mode is AUTO");
}

/* Checks where the service is to be, by what is true of the installation. */
static void check_place(struct request *rq, struct json_object *fields)
{
    PGresult *result;
    enum db_status status = db_run(rq->db, API_INSTALLATION_GET, NULL, &result);
    request_db_problem(rq, status);
    if (status != DB_OK)
        return;
    struct service_place place = {
        .region_name = !rq->settings->strict_region ? NULL : db_text(result, 0, API_INSTALLATION_GET_C_REGION_NAME),
        .base_domain = db_text(result, 0, API_INSTALLATION_GET_C_BASE_DOMAIN),
        .host_names = db_text(result, 0, API_INSTALLATION_GET_C_HOST_NAMES),
        .request_host = request_parameter(rq, "SERVER_NAME"),
    };
    service_fields_check_place(fields, &place, &rq->problem);
    PQclear(result);
}

/* A person may set the count of an AUTO service within its range, and the autoscaler goes on from there. Beyond it, the
 * autoscaler would take it back at once; so that is refused, with what to do. */
static void check_count(struct request *rq, struct json_object *fields, const struct service *before)
{
    struct json_object *count, *config, *value;
    if (!becomes_automatic(fields, before) || !json_object_object_get_ex(fields, "target_num_instances", &count))
        return;
    int64_t minimum = before->minimum, maximum = before->maximum, wanted = json_object_get_int64(count);
    if (json_object_object_get_ex(fields, "autoscaling_config", &config)) {
        minimum = json_object_object_get_ex(config, "minimum_num_instances", &value) ? json_object_get_int64(value) : 0;
        maximum = json_object_object_get_ex(config, "maximum_num_instances", &value) ? json_object_get_int64(value) : 0;
    }
    if (wanted < minimum || wanted > maximum)
        problem_set(&rq->problem, PROBLEM_CONFLICT,
                    "The autoscaler keeps this service between %" PRId64 " and %" PRId64 " instances. Choose a count in that "
                    "range, change autoscaling_config, or set scaling_mode to MANUAL.", minimum, maximum);
}

bool service_write_check(struct request *rq, struct json_object *fields, const struct service *before)
{
    const char *id = before != NULL ? before->id : NULL;
    check_place(rq, fields);
    if (rq->problem.kind == PROBLEM_NONE || rq->problem.kind == PROBLEM_INVALID) {
        if (before != NULL)
            check_mode(rq, fields, before);
        check_links_exist(rq, fields);
        check_volumes(rq, fields, id);
    }
    if (rq->problem.kind == PROBLEM_NONE)
        check_domains_free(rq, fields, id);
    if (rq->problem.kind == PROBLEM_NONE && before != NULL)
        check_count(rq, fields, before);
    return rq->problem.kind == PROBLEM_NONE;
}

bool service_write_insert(struct request *rq, const char *id, struct json_object *fields)
{
    const char *params[API_SERVICE_INSERT_P__MAX] = {
        [API_SERVICE_INSERT_P_SERVICE_ID] = id,
        [API_SERVICE_INSERT_P_NAMESPACE_ID] = rq->access.namespace_id,
        [API_SERVICE_INSERT_P_USER_NAME] = rq->access.user_name,
        [API_SERVICE_INSERT_P_FIELDS] = json_object_to_json_string(fields),
    };
    return write_fields(rq, API_SERVICE_INSERT, params, fields);
}

bool service_write_update(struct request *rq, const char *id, struct json_object *fields)
{
    const char *params[API_SERVICE_UPDATE_P__MAX] = {
        [API_SERVICE_UPDATE_P_SERVICE_ID] = id,
        [API_SERVICE_UPDATE_P_FIELDS] = json_object_to_json_string(fields),
    };
    return write_fields(rq, API_SERVICE_UPDATE, params, fields);
}

/* Parameters of every statement that writes a part of a service. */
enum { PART_P_SERVICE_ID, PART_P_WANTED, PART_P__MAX };
#define PART(statement) \
    DB_SAME_PLACE(PART_P_SERVICE_ID, statement##_P_SERVICE_ID); \
    DB_SAME_PLACE(PART_P_WANTED, statement##_P_WANTED); \
    DB_SAME_PLACE(PART_P__MAX, statement##_P__MAX)
PART(API_ENVVARS_REPLACE);
PART(API_PORTS_REMOVE);
PART(API_PORTS_ADD);
PART(API_VOLUMES_REMOVE);
PART(API_VOLUMES_ADD);
PART(API_LINKS_REPLACE);
PART(API_DOMAINS_REPLACE);
PART(API_AUTOSCALING_REPLACE);

static bool is_empty(struct json_object *value)
{
    return json_object_is_type(value, json_type_object)  ? json_object_object_length(value) == 0
           : json_object_is_type(value, json_type_array) ? json_object_array_length(value) == 0
                                                         : json_object_get_string_len(value) == 0;
}

bool service_write_lock_linking(struct request *rq, const char *id, struct json_object *fields)
{
    const char *params[API_LINKING_LOCK_P__MAX] = {[API_LINKING_LOCK_P_SERVICE_ID] = id};
    return service_fields_text(fields, "instance_ports") == NULL || change(rq, API_LINKING_LOCK, params);
}

bool service_write_parts(struct request *rq, const char *id, struct json_object *fields, bool created)
{
    static const struct {
        const char *field;
        unsigned statement;
        bool of_change; /* only for what was there before */
    } parts[] = {
        {"instance_envvars", API_ENVVARS_REPLACE, false},
        {"instance_ports", API_PORTS_REMOVE, true}, {"instance_ports", API_PORTS_ADD, false},
        {"volumes", API_VOLUMES_REMOVE, true}, {"volumes", API_VOLUMES_ADD, false},
        {"linked_to_apps", API_LINKS_REPLACE, false},
        {"custom_domain_name", API_DOMAINS_REPLACE, false},
        {"autoscaling_config", API_AUTOSCALING_REPLACE, false},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct json_object *value;
        if (!json_object_object_get_ex(fields, parts[i].field, &value) || (created && (parts[i].of_change || is_empty(value))))
            continue;
        const char *params[PART_P__MAX] = {[PART_P_SERVICE_ID] = id, [PART_P_WANTED] = json_object_get_string(value)};
        if (!write_fields(rq, parts[i].statement, params, fields))
            return false;
    }
    if (!created) /* nothing links to a new service yet */
        check_links_circle(rq, id, fields);
    return rq->problem.kind == PROBLEM_NONE;
}

bool service_write_target(struct request *rq, const char *id, const char *state)
{
    const char *params[API_SERVICE_SET_TARGET_P__MAX] = {
        [API_SERVICE_SET_TARGET_P_SERVICE_ID] = id,
        [API_SERVICE_SET_TARGET_P_TARGET_STATE] = state,
    };
    return change(rq, API_SERVICE_SET_TARGET, params);
}

bool service_write_linked_from(struct request *rq, const char *id, struct buf *names)
{
    const char *params[API_SERVICE_LINKED_FROM_P__MAX] = {[API_SERVICE_LINKED_FROM_P_SERVICE_ID] = id};
    return ask(rq, API_SERVICE_LINKED_FROM, params, API_SERVICE_LINKED_FROM_C_NAMES, names);
}

bool service_write_unlink(struct request *rq, const char *id)
{
    const char *own[API_LINKING_LOCK_P__MAX] = {[API_LINKING_LOCK_P_SERVICE_ID] = id};
    const char *params[API_LINKS_TO_REMOVE_P__MAX] = {[API_LINKS_TO_REMOVE_P_SERVICE_ID] = id};
    return change(rq, API_LINKING_LOCK, own) && change(rq, API_LINKS_TO_REMOVE, params);
}

bool service_write_delete(struct request *rq, const char *id)
{
    const char *params[API_SERVICE_DELETE_P__MAX] = {[API_SERVICE_DELETE_P_SERVICE_ID] = id};
    return change(rq, API_SERVICE_DELETE, params);
}

bool service_write_event(struct request *rq, const char *id, const char *action, const char *reason)
{
    const char *params[API_EVENT_ADD_P__MAX] = {
        [API_EVENT_ADD_P_SERVICE_ID] = id, [API_EVENT_ADD_P_USER_NAME] = rq->access.user_name,
        [API_EVENT_ADD_P_ACTION] = action, [API_EVENT_ADD_P_REASON] = reason,
        [API_EVENT_ADD_P_REQUEST_ID] = rq->id,
    };
    return change(rq, API_EVENT_ADD, params);
}

bool service_write_reply(struct request *rq, const char *id)
{
    const char *params[API_SERVICE_DOCUMENT_P__MAX] = {[API_SERVICE_DOCUMENT_P_SERVICE_ID] = id};
    return ask(rq, API_SERVICE_DOCUMENT, params, API_SERVICE_DOCUMENT_C_DOCUMENT, &rq->reply);
}
