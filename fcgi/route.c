/* The routes, and finding one. */
#include "fcgi/route.h"

#include <string.h>

#include "fcgi/handlers.h"
#include "gen/api_statements.h"

#define JSON (1u << BODY_JSON)
#define FORMS (1u << BODY_JSON | 1u << BODY_URLENCODED | 1u << BODY_MULTIPART)

const struct route routes[] = {
    {HTTP_GET, "/healthz", ROUTE_PUBLIC, ROUTE_PLAIN, 0, 0, NULL, handle_healthz, "Whether the process is alive."},
    {HTTP_GET, "/readyz", ROUTE_INTERNAL, ROUTE_PLAIN, 0, 0, NULL, handle_readyz,
     "Whether PostgreSQL is reachable and migrated."},
    {HTTP_GET, "/metrics", ROUTE_INTERNAL, ROUTE_PLAIN, 0, 0, NULL, handle_metrics, "Figures in Prometheus' text format."},

    {HTTP_POST, "/v1/generate-api-token", ROUTE_PUBLIC, ROUTE_PLAIN, FORMS, 0, NULL, handle_generate_token,
     "Trade a user name and password for a token."},
    {HTTP_GET, "/v1/auth/profile", ROUTE_TOKEN, ROUTE_QUERY, 0, API_PROFILE_GET, NULL, handle_document,
     "Who the token is, and its namespaces."},

    {HTTP_POST, "/v1/services/{namespace}", ROUTE_WRITE, ROUTE_CHANGE, JSON, 0, NULL, handle_service_create,
     "Create a service."},
    {HTTP_GET, "/v1/services/{namespace}", ROUTE_READ, ROUTE_QUERY, 0, API_SERVICES_LIST, bind_services_list,
     handle_services_list, "A page of the services, newest first."},
    {HTTP_GET, "/v1/services/{namespace}/{name}", ROUTE_READ, ROUTE_QUERY, 0, API_SERVICE_GET, NULL, handle_document,
     "One service."},
    {HTTP_PUT, "/v1/services/{namespace}/{name}", ROUTE_WRITE, ROUTE_CHANGE, JSON, 0, NULL, handle_service_update,
     "Change a service; absent fields stay."},
    {HTTP_DELETE, "/v1/services/{namespace}/{name}", ROUTE_WRITE, ROUTE_CHANGE, 0, 0, NULL, handle_service_delete,
     "Delete a service with its containers and volumes."},
    {HTTP_PUT, "/v1/services/{namespace}/{name}/start", ROUTE_WRITE, ROUTE_CHANGE, 0, 0, NULL, handle_service_start,
     "Set the target state to STARTED."},
    {HTTP_PUT, "/v1/services/{namespace}/{name}/stop", ROUTE_WRITE, ROUTE_CHANGE, 0, 0, NULL, handle_service_stop,
     "Set the target state to STOPPED."},

    {HTTP_GET, "/v1/services/{namespace}/{name}/logs", ROUTE_READ, ROUTE_QUERY, 0, API_SERVICE_ID, bind_logs, handle_logs,
     "Log lines of a service, oldest first."},
    {HTTP_GET, "/v1/services/{namespace}/{name}/instances", ROUTE_READ, ROUTE_QUERY, 0, API_INSTANCES_LIST, NULL,
     handle_document, "The instances that exist."},
    {HTTP_GET, "/v1/services/{namespace}/{name}/instances/{uuid}", ROUTE_READ, ROUTE_QUERY, 0, API_INSTANCE_GET,
     bind_instance, handle_document, "One instance."},
    {HTTP_GET, "/v1/services/{namespace}/{name}/instances/{uuid}/logs", ROUTE_READ, ROUTE_QUERY, 0, API_INSTANCE_GET,
     bind_instance_logs, handle_instance_logs, "Log lines of one instance, oldest first."},

    {HTTP_GET, "/v1/services/{namespace}/{name}/autoscaling", ROUTE_READ, ROUTE_QUERY, 0, API_AUTOSCALING_GET, bind_autoscaling,
     handle_document, "How it is scaled: settings in force, what was seen last, the latest decisions, what comes next."},
    {HTTP_GET, "/v1/services/{namespace}/{name}/metrics", ROUTE_READ, ROUTE_QUERY, 0, API_METRICS_SERIES, bind_series,
     handle_series, "A series of a metric over the service's instances."},
    {HTTP_GET, "/v1/services/{namespace}/{name}/instances/{uuid}/metrics", ROUTE_READ, ROUTE_QUERY, 0, API_METRICS_SERIES,
     bind_instance_series, handle_series, "The same of one instance."},
};
const size_t n_routes = sizeof routes / sizeof routes[0];

static const char *const method_names[HTTP_METHOD__MAX] = {
    [HTTP_GET] = "GET, HEAD", [HTTP_POST] = "POST",       [HTTP_PUT] = "PUT",
    [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS", [HTTP_OTHER] = "",
};

/* Compares segment by segment; captures only when all fit. */
static bool pattern_matches(const char *pattern, struct request *rq)
{
    const char *namespace_name = NULL, *service_name = NULL, *instance_id = NULL;
    size_t i = 0;
    for (const char *at = pattern + 1; *at != '\0'; i++) {
        size_t n = strcspn(at, "/");
        if (i == rq->n_segments)
            return false;
        const char *segment = rq->segments[i];
        if (n == 11 && memcmp(at, "{namespace}", n) == 0)
            namespace_name = segment;
        else if (n == 6 && memcmp(at, "{name}", n) == 0)
            service_name = segment;
        else if (n == 6 && memcmp(at, "{uuid}", n) == 0)
            instance_id = segment;
        else if (strlen(segment) != n || memcmp(at, segment, n) != 0)
            return false;
        if (segment[0] == '\0')
            return false;
        at += n + (at[n] == '/');
    }
    if (i != rq->n_segments)
        return false;
    rq->namespace_name = namespace_name;
    rq->service_name = service_name;
    rq->instance_id = instance_id;
    return true;
}

const struct route *route_find(struct request *rq)
{
    struct buf allow = {0};
    const struct route *found = NULL;
    for (size_t i = 0; i < n_routes && found == NULL; i++) {
        /* From the public listener, what is internal does not exist. */
        if ((routes[i].access == ROUTE_INTERNAL && !rq->internal) || !pattern_matches(routes[i].pattern, rq))
            continue;
        if (routes[i].method == rq->method)
            found = &routes[i];
        else
            buf_addf(&allow, "%s%s", allow.len > 0 ? ", " : "", method_names[routes[i].method]);
    }
    if (found == NULL && allow.len == 0) {
        problem_set(&rq->problem, PROBLEM_NOT_FOUND, "No such resource.");
    } else if (found == NULL) {
        buf_addf(&rq->headers, "Allow: %s, OPTIONS\r\n", buf_text(&allow));
        if (rq->method == HTTP_OPTIONS)
            rq->status = "204 No Content";
        else
            problem_set(&rq->problem, PROBLEM_METHOD, "This resource takes %s.", buf_text(&allow));
    }
    buf_free(&allow);
    return found;
}
