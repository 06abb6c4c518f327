/* The fields of a service in POST and PUT, and the rules that span several of them. */
#ifndef SKYLARK_FCGI_SERVICE_FIELDS_H
#define SKYLARK_FCGI_SERVICE_FIELDS_H

#include "fcgi/fields.h"

extern const struct field service_fields[];
extern const size_t service_n_fields;

/* What the rules need to know besides the body. */
struct service_context {
    const char *namespace_name, *service_name; /* of the URL; service_name is NULL on create */
    const char *region_name, *base_domain;     /* of the installation */
    const char *host_names;                    /* the operator's own, separated by commas */
    const char *request_host;                  /* by which the client reached the API */
};

/* Checks what no single row can: entries that stand twice, thresholds in order, names that must equal the URL's or must
 * not be the operator's. checked: what fields_check returned. */
void service_fields_check_rules(struct json_object *checked, const struct service_context *context, struct problem *problem);

/* The text of a field, NULL when it is absent. */
const char *service_fields_text(struct json_object *checked, const char *name);

#endif
