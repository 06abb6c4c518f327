/* Absolute URLs of this API, for clients to follow. */
#ifndef SKYLARK_FCGI_LINK_H
#define SKYLARK_FCGI_LINK_H

#include "common/buf.h"
#include "fcgi/request.h"

/* Adds scheme, host and path of the request, segment by segment, with a slash at the end. */
void link_add_self(const struct request *rq, struct buf *url);

/* Adds name=value after ? or &. Values may be any text. */
void link_add_parameter(struct buf *url, const char *name, const char *value);

#endif
