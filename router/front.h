/* The nginx of this host: gets new routes, tests them, serves them. */
#ifndef SKYLARK_ROUTER_FRONT_H
#define SKYLARK_ROUTER_FRONT_H

#include <stdbool.h>

#include "common/buf.h"
#include "router/render.h"
#include "router/settings.h"

/* Called now and then while something takes long. */
struct front_beat {
    void (*call)(void *context);
    void *context;
};

/* Makes nginx serve what was rendered: writes it beside what is there, has nginx test the whole configuration with it, puts it
 * in its place in one step, and has nginx load it. Returns once new connections are served by it. Returns 0; or -1 with why
 * in fault, and then nginx serves what it served before, unless it takes longer than nginx_deadline to load. Blocks for up to
 * twice nginx_deadline. */
int front_apply(const struct router_settings *settings, const struct render_output *output, const struct front_beat *beat,
                struct buf *fault) __attribute__((warn_unused_result));

/* Whether nginx serves that version now, and would after a start of its own. Blocks for up to 2 s. */
bool front_serves(const struct router_settings *settings, const char *version);

/* How many worker processes nginx has that only see their last connections through. */
int front_old_workers(const struct router_settings *settings);

/* Whether nginx may listen on a public port: it does already, or nobody does. */
bool front_port_free(const struct router_settings *settings, const char *protocol, int port);

#endif
