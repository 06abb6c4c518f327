/* The fields of a service in POST and PUT, and the rules that span several of them. */
#ifndef SKYLARK_FCGI_SERVICE_FIELDS_H
#define SKYLARK_FCGI_SERVICE_FIELDS_H

#include "fcgi/fields.h"

extern const struct field service_fields[];
extern const size_t service_n_fields;

/* Checks what no single row can: entries that stand twice, thresholds in order, names that must equal the URL's.
 * checked: what fields_check returned; service_name: the URL's (NULL on create). */
void service_fields_check_rules(struct json_object *checked, const char *namespace_name, const char *service_name,
                                const char *region_name, const char *base_domain, struct problem *problem);

/* The text of a field, NULL when it is absent. */
const char *service_fields_text(struct json_object *checked, const char *name);

#endif
