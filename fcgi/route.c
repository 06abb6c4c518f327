/* The routes, and finding one. */
#include "fcgi/route.h"

#include <stddef.h>
#include <string.h>

#include "fcgi/handlers.h"
#include "gen/api_statements.h"

#define JSON (1u << BODY_JSON)
#define FORMS (1u << BODY_JSON | 1u << BODY_URLENCODED | 1u << BODY_MULTIPART)

/* What a login may send: a name of 100 bytes and a password of 1024, however they are escaped. */
#define LOGIN_BODY 16384
#define LOGIN_VALUES 32
/* What a service may send: 1000 variables, 100 ports, 50 volumes, 100 links and its other fields are some 1900 values. */
#define SERVICE_BODY (1 << 20)
#define SERVICE_VALUES 4096

const struct route routes[] = {
    {.method = HTTP_GET, .pattern = "/healthz", .access = ROUTE_PUBLIC, .kind = ROUTE_PLAIN,
     .handle = handle_healthz,
     .help = "Whether the process is alive."},
    {.method = HTTP_GET, .pattern = "/readyz", .access = ROUTE_INTERNAL, .kind = ROUTE_PLAIN,
     .handle = handle_readyz,
     .help = "Whether PostgreSQL is reachable and migrated."},
    {.method = HTTP_GET, .pattern = "/metrics", .access = ROUTE_INTERNAL, .kind = ROUTE_PLAIN,
     .handle = handle_metrics,
     .help = "Metrics in Prometheus' text format."},

    {.method = HTTP_POST, .pattern = "/v1/generate-api-token", .access = ROUTE_PUBLIC, .kind = ROUTE_PLAIN,
     .bodies = FORMS, .body_limit = LOGIN_BODY, .values_max = LOGIN_VALUES,
     .parse = parse_login, .handle = handle_generate_token,
     .help = "Trade a user name and password for a token."},
    {.method = HTTP_GET, .pattern = "/v1/auth/profile", .access = ROUTE_TOKEN, .kind = ROUTE_QUERY,
     .statement = API_PROFILE_GET, .handle = handle_document,
     .help = "Who the token is, and its namespaces."},
    {.method = HTTP_GET, .pattern = "/v1/auth/{user}/profile", .access = ROUTE_TOKEN, .kind = ROUTE_QUERY,
     .statement = API_PROFILE_GET, .bind = bind_profile, .handle = handle_document,
     .help = "The same, by the user's own name."},
    {.method = HTTP_GET, .pattern = "/v1/orgs", .access = ROUTE_TOKEN, .kind = ROUTE_QUERY,
     .statement = API_ORGS_LIST, .handle = handle_document,
     .help = "The organisations that the token may see."},
    {.method = HTTP_GET, .pattern = "/v1/orgs/{organisation}", .access = ROUTE_TOKEN, .kind = ROUTE_QUERY,
     .statement = API_ORG_GET, .bind = bind_organisation, .handle = handle_document,
     .help = "One of them."},
    {.method = HTTP_GET, .pattern = "/v1/regions/{namespace}", .access = ROUTE_READ, .kind = ROUTE_QUERY,
     .statement = API_REGIONS_LIST, .handle = handle_document,
     .help = "The regions: this installation is the one."},
    {.method = HTTP_GET, .pattern = "/v1/regions/{namespace}/{region}/nodes", .access = ROUTE_READ, .kind = ROUTE_QUERY,
     .statement = API_REGION_NODES, .bind = bind_region, .handle = handle_document,
     .help = "The nodes that run instances, with what they have."},
    {.method = HTTP_GET, .pattern = "/v1/quotas/{namespace}", .access = ROUTE_READ, .kind = ROUTE_QUERY,
     .statement = API_QUOTAS_GET, .bind = bind_quotas, .handle = handle_document,
     .help = "How much of everything a namespace has and may have."},

    {.method = HTTP_POST, .pattern = "/v1/services/{namespace}", .access = ROUTE_WRITE, .kind = ROUTE_CHANGE,
     .bodies = JSON, .body_limit = SERVICE_BODY, .values_max = SERVICE_VALUES,
     .parse = parse_service_create, .handle = handle_service_create,
     .help = "Create a service."},
    {.method = HTTP_GET, .pattern = "/v1/services/{namespace}", .access = ROUTE_READ, .kind = ROUTE_QUERY,
     .statement = API_SERVICES_LIST, .bind = bind_services_list, .handle = handle_services_list,
     .help = "A page of the services, newest first."},
    {.method = HTTP_GET, .pattern = "/v1/services/{namespace}/{name}", .access = ROUTE_READ, .kind = ROUTE_QUERY,
     .statement = API_SERVICE_GET, .handle = handle_document,
     .help = "One service."},
    {.method = HTTP_PUT, .pattern = "/v1/services/{namespace}/{name}", .access = ROUTE_WRITE, .kind = ROUTE_CHANGE,
     .bodies = JSON, .body_limit = SERVICE_BODY, .values_max = SERVICE_VALUES,
     .parse = parse_service_update, .handle = handle_service_update,
     .help = "Change a service; absent fields stay."},
    {.method = HTTP_DELETE, .pattern = "/v1/services/{namespace}/{name}", .access = ROUTE_WRITE, .kind = ROUTE_CHANGE,
     .parse = parse_service_delete, .handle = handle_service_delete,
     .help = "Delete a service with its containers and volumes. `?force=true` takes links to it away as well."},
    {.method = HTTP_PUT, .pattern = "/v1/services/{namespace}/{name}/start", .access = ROUTE_WRITE, .kind = ROUTE_CHANGE,
     .handle = handle_service_start,
     .help = "Set the target state to STARTED."},
    {.method = HTTP_PUT, .pattern = "/v1/services/{namespace}/{name}/stop", .access = ROUTE_WRITE, .kind = ROUTE_CHANGE,
     .handle = handle_service_stop,
     .help = "Set the target state to STOPPED."},

    {.method = HTTP_GET, .pattern = "/v1/services/{namespace}/{name}/logs", .access = ROUTE_READ, .kind = ROUTE_LONG_QUERY,
     .statement = API_SERVICE_ID, .bind = bind_logs, .handle = handle_logs,
     .help = "Log lines of a service, oldest first."},
    {.method = HTTP_GET, .pattern = "/v1/services/{namespace}/{name}/instances", .access = ROUTE_READ, .kind = ROUTE_QUERY,
     .statement = API_INSTANCES_LIST, .handle = handle_document,
     .help = "The instances that exist."},
    {.method = HTTP_GET, .pattern = "/v1/services/{namespace}/{name}/instances/{uuid}", .access = ROUTE_READ, .kind = ROUTE_QUERY,
     .statement = API_INSTANCE_GET, .bind = bind_instance, .handle = handle_document,
     .help = "One instance."},
    {.method = HTTP_GET, .pattern = "/v1/services/{namespace}/{name}/instances/{uuid}/logs", .access = ROUTE_READ, .kind = ROUTE_LONG_QUERY,
     .statement = API_INSTANCE_GET, .bind = bind_instance_logs, .handle = handle_instance_logs,
     .help = "Log lines of one instance, oldest first."},

    {.method = HTTP_GET, .pattern = "/v1/services/{namespace}/{name}/autoscaling", .access = ROUTE_READ, .kind = ROUTE_QUERY,
     .statement = API_AUTOSCALING_GET, .bind = bind_autoscaling, .handle = handle_document,
     .help = "How it is scaled: settings in force, what was seen last, the latest decisions, what comes next."},
    {.method = HTTP_GET, .pattern = "/v1/services/{namespace}/{name}/metrics", .access = ROUTE_READ, .kind = ROUTE_LONG_QUERY,
     .statement = API_METRICS_SERIES, .bind = bind_series, .handle = handle_series,
     .help = "A series of a metric over the service's instances."},
    {.method = HTTP_GET, .pattern = "/v1/services/{namespace}/{name}/instances/{uuid}/metrics", .query = "point_per_period",
     .access = ROUTE_READ, .kind = ROUTE_LONG_QUERY, .statement = API_METRICS_POINTS, .bind = bind_points, .handle = handle_points,
     .help = "All metrics of one instance in one table, in the form of 2015."},
    {.method = HTTP_GET, .pattern = "/v1/services/{namespace}/{name}/instances/{uuid}/metrics",
     .access = ROUTE_READ, .kind = ROUTE_LONG_QUERY, .statement = API_METRICS_SERIES, .bind = bind_instance_series, .handle = handle_series,
     .help = "A series of a metric of one instance."},
};
const size_t n_routes = sizeof routes / sizeof routes[0];

static const char *const method_names[HTTP_METHOD__MAX] = {
    [HTTP_GET] = "GET, HEAD", [HTTP_POST] = "POST",       [HTTP_PUT] = "PUT",
    [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS", [HTTP_OTHER] = "",
};

/* Compares segment by segment; captures only when all fit. */
static bool pattern_matches(const char *pattern, struct request *rq)
{
    static const struct {
        const char *name;
        size_t offset;
    } captures[] = {
        {"{namespace}", offsetof(struct request, namespace_name)}, {"{name}", offsetof(struct request, service_name)},
        {"{uuid}", offsetof(struct request, instance_id)},         {"{user}", offsetof(struct request, user_name)},
        {"{region}", offsetof(struct request, region_name)},       {"{organisation}", offsetof(struct request, organisation_name)},
    };
    enum { N = sizeof captures / sizeof captures[0] };
    const char *captured[N] = {0};
    size_t i = 0;
    for (const char *at = pattern + 1; *at != '\0'; i++) {
        size_t n = strcspn(at, "/");
        if (i == rq->n_segments)
            return false;
        const char *segment = rq->segments[i];
        size_t k = 0;
        while (k < N && !(strlen(captures[k].name) == n && memcmp(at, captures[k].name, n) == 0))
            k++;
        if (k < N)
            captured[k] = segment;
        else if (strlen(segment) != n || memcmp(at, segment, n) != 0)
            return false;
        if (segment[0] == '\0')
            return false;
        at += n + (at[n] == '/');
    }
    if (i != rq->n_segments)
        return false;
    for (size_t k = 0; k < N; k++)
        *(const char **)((char *)rq + captures[k].offset) = captured[k];
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
        if (routes[i].query != NULL && (routes[i].method != rq->method || form_get(&rq->query, routes[i].query) == NULL))
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
