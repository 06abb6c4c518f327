/* Which instances that get no more requests still hold connections of this host. */
#ifndef SKYLARK_ROUTER_DRAIN_H
#define SKYLARK_ROUTER_DRAIN_H

#include <json-c/json.h>

#include "common/buf.h"

/* Adds the ids of those of draining (an array of {id, peers}) that do, as an array of PostgreSQL: "{id,id}". Returns how
 * many. tables: files with the kernel's TCP sockets (/proc/net/tcp, /proc/net/tcp6), NULL-terminated. */
int drain_busy(struct json_object *draining, const char *const *tables, struct buf *ids);

#endif
