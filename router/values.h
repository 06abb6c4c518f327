/* What of an endpoint may stand in nginx's configuration. */
#ifndef SKYLARK_ROUTER_VALUES_H
#define SKYLARK_ROUTER_VALUES_H

#include <json-c/json.h>
#include <stdbool.h>

/* Whether nginx reads nothing in the text as anything but a part of a word. */
bool value_plain(const char *text);

/* Whether the text is a full host name: labels of letters, digits, hyphens and underscores with dots between, at least one. */
bool value_host_name(const char *text);

/* Whether all values of an endpoint (of ROUTER_ROUTES_LOAD) are of their kind, so that nginx takes each for what it is. */
bool values_good(struct json_object *endpoint);

/* The text of a member, which endpoint keeps; "" for none. */
const char *values_text(struct json_object *endpoint, const char *name);

/* A member that is an array, which endpoint keeps, and its length; NULL and 0 for none. */
struct json_object *values_array(struct json_object *endpoint, const char *name, size_t *n);

#endif
