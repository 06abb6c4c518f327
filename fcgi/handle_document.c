/* GET of one document, built by its statement: a service, its instances, an instance, the profile. */
#include "fcgi/handlers.h"
#include "fcgi/route.h"

void handle_document(struct request *rq, const PGresult *result)
{
    if (PQgetisnull(result, 0, ROUTE_ACCESS_COLUMNS)) {
        problem_set(&rq->problem, PROBLEM_NOT_FOUND, "No such %s.", rq->instance_id != NULL ? "instance" : "service");
        return;
    }
    buf_add(&rq->reply, PQgetvalue(result, 0, ROUTE_ACCESS_COLUMNS),
            (size_t)PQgetlength(result, 0, ROUTE_ACCESS_COLUMNS));
}
