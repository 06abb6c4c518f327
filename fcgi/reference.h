/* The reference documentation, made of the same rows that routes and fields are checked by. */
#ifndef SKYLARK_FCGI_REFERENCE_H
#define SKYLARK_FCGI_REFERENCE_H

#include "common/buf.h"

/* Adds the tables of routes and fields in Markdown. docs/api.md is docs/api-intro.md followed by this. */
void reference_render(struct buf *out);

#endif
