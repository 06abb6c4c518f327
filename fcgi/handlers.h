/* The handlers of the routes, and what binds the parameters of their statements. A URL leads to its row in
 * route.c, the row to a name here, the name to handle_{topic}.c. */
#ifndef SKYLARK_FCGI_HANDLERS_H
#define SKYLARK_FCGI_HANDLERS_H

#include "fcgi/request.h"

typedef void route_handler(struct request *rq, const PGresult *result);
typedef void route_parser(struct request *rq);
typedef void route_binder(struct request *rq, const char **params);

/* handle_health.c */
route_handler handle_healthz, handle_readyz, handle_metrics;

/* handle_token.c. handle_token_open: call once, before the workers are forked; returns 0, or -1 (logged). */
int handle_token_open(void) __attribute__((warn_unused_result));
route_parser parse_login;
route_handler handle_generate_token;

/* handle_document.c: answers with the column after those of access, 404 when it is null. */
route_binder bind_profile, bind_organisation, bind_region, bind_quotas;
route_handler handle_document;

/* handle_list.c */
route_binder bind_services_list;
route_handler handle_services_list;

/* handle_service.c */
route_parser parse_service_create, parse_service_update, parse_service_delete;
route_handler handle_service_create, handle_service_update, handle_service_delete, handle_service_start,
    handle_service_stop;

/* handle_logs.c */
route_binder bind_logs, bind_instance_logs, bind_instance;
route_handler handle_logs, handle_instance_logs;

/* handle_scaling.c; autoscaling is answered by handle_document */
route_binder bind_autoscaling, bind_series, bind_instance_series;
route_handler handle_series;

/* handle_points.c */
route_binder bind_points;
route_handler handle_points;

#endif
