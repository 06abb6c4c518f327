/* Whether nginx could use a certificate: asked first, since one that it refuses keeps it from taking up any new route. */
#ifndef SKYLARK_ROUTER_CERTIFICATE_H
#define SKYLARK_ROUTER_CERTIFICATE_H

#include "common/buf.h"

/* Reads a chain and its key, both PEM files. Returns 0 when they can be read and fit; or -1 with why in fault. */
int certificate_check(const char *chain, const char *key, struct buf *fault) __attribute__((warn_unused_result));

#endif
