/* The nginx of this host: gets new routes, tests them, serves them. */
#ifndef SKYLARK_ROUTER_FRONT_H
#define SKYLARK_ROUTER_FRONT_H

#include <stdbool.h>

#include "common/buf.h"
#include "router/render.h"
#include "router/settings.h"

/* Makes nginx serve what was rendered: writes it beside what is there, has nginx test the whole configuration with it, puts it
 * in its place in one step, and has nginx load it. Returns once new connections are served by it. Returns 0; or -1 with why
 * in fault, and then nginx serves what it served before. Blocks for up to twice nginx_deadline. */
int front_apply(const struct router_settings *settings, const struct render_output *output, struct buf *fault)
    __attribute__((warn_unused_result));

/* Whether nginx serves that version now. */
bool front_serves(const struct router_settings *settings, const char *version);

/* Whether nginx may listen on a public port: it does already, or nobody does. */
bool front_port_free(const struct router_settings *settings, const char *protocol, int port);

#endif
