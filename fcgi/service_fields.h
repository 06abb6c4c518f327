/* The fields of a service in POST and PUT, and the rules that span several of them. */
#ifndef SKYLARK_FCGI_SERVICE_FIELDS_H
#define SKYLARK_FCGI_SERVICE_FIELDS_H

#include "fcgi/fields.h"

extern const struct field service_fields[];
extern const size_t service_n_fields;

/* Checks what no single row can and the body alone tells: entries that stand twice, thresholds in order, names that must equal
 * the URL's. checked: what fields_check returned. service_name: the URL's, NULL on create. */
void service_fields_check_rules(struct json_object *checked, const char *namespace_name, const char *service_name,
                                struct problem *problem);

/* Where the service is to be. */
struct service_place {
    const char *region_name;               /* that a body must name if it names one; NULL: any */
    const char *base_domain;               /* of the installation */
    const char *host_names;                /* the operator's own, separated by commas */
    const char *request_host;              /* by which the client reached the API */
};

/* Checks what needs to know of the installation: region and domain names. */
void service_fields_check_place(struct json_object *checked, const struct service_place *place, struct problem *problem);

/* The text of a field, NULL when it is absent. */
const char *service_fields_text(struct json_object *checked, const char *name);

#endif
