/* What watches over the process asks: is it alive, can it serve, what does it do. */
#include "common/loop.h"
#include "fcgi/handlers.h"
#include "fcgi/http_metrics.h"

void handle_healthz(struct request *rq, const PGresult *result)
{
    (void)result;
    buf_adds(&rq->reply, "{\"status\":\"alive\"}");
}

void handle_readyz(struct request *rq, const PGresult *result)
{
    (void)result;
    enum db_status status = db_ping(rq->db);
    request_db_problem(rq, status);
    if (status == DB_OK)
        buf_addf(&rq->reply, "{\"status\":\"ready\",\"schema_version\":%d}", db_schema_version);
}

void handle_metrics(struct request *rq, const PGresult *result)
{
    (void)result;
    rq->content_type = "text/plain; version=0.0.4; charset=utf-8";
    http_metrics_render(&rq->reply);
    loop_render(&rq->reply);
}
