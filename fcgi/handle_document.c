/* GET of one document, built by its statement: a service, its instances, an instance, the profile, organisations, regions, quotas. */
#include "fcgi/handlers.h"

#include <string.h>

#include "fcgi/route.h"
#include "gen/api_statements.h"

/* What the path names last, and is not there. */
static const char *missing(const struct request *rq)
{
    return rq->instance_id != NULL         ? "instance"
           : rq->service_name != NULL      ? "service"
           : rq->region_name != NULL       ? "region"
           : rq->organisation_name != NULL ? "organisation, or none that this token may see"
                                           : "user, or none that this token may see";
}

/* Requests a second are the front's: nginx limits them, and passes on what it was told. */
void bind_quotas(struct request *rq, const char **params)
{
    const char *rate = request_parameter(rq, "SKYLARK_REQUEST_RATE");
    params[API_QUOTAS_GET_P_REQUEST_RATE] = rate[strspn(rate, "0123456789")] == '\0' ? rate : "";
}

void handle_document(struct request *rq, const PGresult *result)
{
    if (db_null(result, 0, ROUTE_C_DOCUMENT)) {
        problem_set(&rq->problem, PROBLEM_NOT_FOUND, "No such %s.", missing(rq));
        return;
    }
    db_add(&rq->reply, result, 0, ROUTE_C_DOCUMENT);
}

void bind_profile(struct request *rq, const char **params)
{
    params[API_PROFILE_GET_P_USER_NAME] = rq->user_name;
}

void bind_organisation(struct request *rq, const char **params)
{
    params[API_ORG_GET_P_ORGANISATION] = rq->organisation_name;
}

void bind_region(struct request *rq, const char **params)
{
    params[API_REGION_NODES_P_REGION] = rq->region_name;
}
