/* Whether an instance that runs is ready for requests. */
#include "deployer/probe.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "deployer/observe.h"

/* On the node's own network an open port answers within microseconds. */
#define CONNECT_MS 200

static bool connected(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t size = sizeof error;
    return poll(&p, 1, CONNECT_MS) == 1 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

static bool port_answers(const char *address, const char *port)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *found;
    if (getaddrinfo(address, port, &hints, &found) != 0)
        return false;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool answers = fd >= 0 && (connect(fd, found->ai_addr, found->ai_addrlen) == 0 || (errno == EINPROGRESS && connected(fd)));
    if (fd >= 0)
        close(fd);
    freeaddrinfo(found);
    return answers;
}

/* The first TCP port that does not answer; NULL when all do. */
static const char *silent_port(const struct service *s, const char *address)
{
    struct json_object *ports = NULL, *port, *protocol;
    json_object_object_get_ex(s->spec, "ports", &ports);
    for (size_t i = 0; i < json_object_array_length(ports); i++) {
        struct json_object *entry = json_object_array_get_idx(ports, i);
        if (json_object_object_get_ex(entry, "container_port", &port) && json_object_object_get_ex(entry, "protocol", &protocol) &&
            strcmp(json_object_get_string(protocol), "tcp") == 0 && !port_answers(address, json_object_get_string(port)))
            return json_object_get_string(port);
    }
    return NULL;
}

static bool container_ready(const struct service *s, const struct plan_instance *i, const struct engine_container *c,
                            struct buf *words)
{
    const char *name = service_text(s, "name"), *port = NULL;
    switch (c->health) {
    case ENGINE_HEALTH_GOOD:
        return true;
    case ENGINE_HEALTH_STARTING:
        buf_addf(words, "Instance %s.%d runs; its image's health check has not said healthy yet.", name, i->slot);
        return false;
    case ENGINE_HEALTH_BAD:
        buf_addf(words, "Instance %s.%d runs, but its image's health check says unhealthy; it gets no requests.", name, i->slot);
        return false;
    case ENGINE_HEALTH_NONE:
        break;
    }
    port = silent_port(s, c->address);
    if (port != NULL)
        buf_addf(words, "Instance %s.%d runs, but does not answer on port %s yet; it gets no requests.", name, i->slot, port);
    return port == NULL;
}

enum pass_status probe_instance(struct role *role, struct service *s, const struct plan_instance *i, bool *ready, struct buf *words)
{
    struct engine_container c;
    *ready = false;
    enum pass_status status = lease_keep(role, s);
    if (status != PASS_OK)
        return status;
    enum engine_status found = engine_container_inspect(role->engine, i->container_id, &c);
    if (found == ENGINE_NOT_FOUND)
        return PASS_OK; /* the next pass sees that, too */
    if (found != ENGINE_OK)
        return pass_of_engine(role, found);
    if (c.state == ENGINE_RUNNING)
        *ready = container_ready(s, i, &c, words);
    engine_container_clear(&c);
    return PASS_OK;
}
