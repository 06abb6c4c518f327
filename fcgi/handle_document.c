/* GET of one document, built by its statement: a service, its instances, an instance, the profile. */
#include "fcgi/handlers.h"
#include "fcgi/route.h"

void handle_document(struct request *rq, const PGresult *result)
{
    if (db_null(result, 0, ROUTE_C_DOCUMENT)) {
        problem_set(&rq->problem, PROBLEM_NOT_FOUND, "No such %s.", rq->instance_id != NULL ? "instance" : "service");
        return;
    }
    db_add(&rq->reply, result, 0, ROUTE_C_DOCUMENT);
}
