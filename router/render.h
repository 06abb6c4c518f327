/* From routes to nginx's configuration: pure but for the files that it reads. */
#ifndef SKYLARK_ROUTER_RENDER_H
#define SKYLARK_ROUTER_RENDER_H

#include <json-c/json.h>
#include <stdbool.h>

#include "common/buf.h"

/* The sections of the templates' file, each between a line "#=== NAME" and the next. */
enum render_section {
    RENDER_HTTP_HEAD,     /* once: VERSION, BASE_DOMAIN, ROUTES, NAMES, CERTIFICATE, KEY */
    RENDER_HTTP_ROUTE,    /* a line of ROUTES, for each host name: NAME, TO */
    RENDER_HTTP_UPSTREAM, /* an http-endpoint with instances: ID, OWNER, SERVERS */
    RENDER_HTTP_SERVER,   /* a host name with a certificate of its own: NAME, CERTIFICATE, KEY */
    RENDER_STREAM_TCP,    /* a tcp-endpoint with instances: ID, OWNER, SERVERS, PORT */
    RENDER_STREAM_UDP,
    RENDER_HTTP_SERVERS, /* a line of SERVERS: ADDRESS */
    RENDER_STREAM_SERVERS,
    RENDER_SECTION__MAX
};

struct render_templates {
    char *sections[RENDER_SECTION__MAX];
};

/* Reads the templates. Returns 0, or -1 with what is wrong in fault. */
int render_load(const char *path, struct render_templates *templates, struct buf *fault) __attribute__((warn_unused_result));
void render_free(struct render_templates *templates);

#define RENDER_VERSION_SIZE 33

struct render_output {
    struct buf http, stream; /* the files */
    struct buf ports;        /* public ports, a line "tcp 20001" each */
    char version[RENDER_VERSION_SIZE]; /* of their content: the same routes have the same one */
    int endpoints, servers;
    struct json_object *faults; /* of endpoints that are left out: {service id: why}; NULL for none */
};

struct render_options {
    const struct render_templates *templates;
    const char *certificate, *certificate_key; /* paths of the server's own */
    const char *certificates; /* folder with DOMAIN/fullchain.pem and DOMAIN/privkey.pem; "" for none */
    /* Whether the front may listen on a public port. */
    bool (*port_free)(void *context, const char *protocol, int port);
    void *context;
};

/* Fills a zero-initialised output from what ROUTER_ROUTES_LOAD returned. An endpoint with a value that could mean anything
 * to nginx but itself is left out, as is one whose port is taken. Returns 0, or -1 when memory ran out. */
int render_routes(const struct render_options *options, struct json_object *routes, struct render_output *output)
    __attribute__((warn_unused_result));
void render_output_free(struct render_output *output);

#endif
