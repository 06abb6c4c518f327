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

/* Copies the first of the instance's TCP ports that does not answer. Returns whether there is one. */
static bool silent_port(const struct plan_instance *i, const char *address, char port[8])
{
    for (const char *at = i->tcp_ports; *at != '\0';) {
        size_t len = strcspn(at, " ");
        snprintf(port, 8, "%.*s", (int)len, at);
        if (!port_answers(address, port))
            return true;
        at += len + (at[len] == ' ');
    }
    return false;
}

static enum probe_verdict judge(const struct service *s, const struct plan_instance *i, const struct engine_container *c,
                                struct buf *words)
{
    const char *name = service_text(s, "name");
    char port[8];
    switch (c->health) {
    case ENGINE_HEALTH_GOOD:
        return PROBE_READY;
    case ENGINE_HEALTH_STARTING:
        buf_addf(words, "Instance %s.%d runs; its image's health check has not said healthy yet.", name, i->slot);
        return PROBE_WAITING;
    case ENGINE_HEALTH_BAD:
        buf_addf(words, "Instance %s.%d runs, but its image's health check says unhealthy; it gets no requests.", name, i->slot);
        return PROBE_UNHEALTHY;
    case ENGINE_HEALTH_NONE:
        break;
    }
    if (!silent_port(i, c->address, port))
        return PROBE_READY;
    buf_addf(words, "Instance %s.%d runs, but does not answer on port %s yet; it gets no requests.", name, i->slot, port);
    return PROBE_WAITING;
}

enum pass_status probe_instance(struct role *role, struct service *s, const struct plan_instance *i, enum probe_verdict *verdict,
                                struct buf *words)
{
    struct engine_container c;
    *verdict = PROBE_WAITING;
    enum pass_status status = lease_keep(role, s);
    if (status != PASS_OK)
        return status;
    enum engine_status found = engine_container_inspect(role->engine, i->container_id, &c);
    if (found == ENGINE_NOT_FOUND)
        return PASS_OK; /* the next pass sees that, too */
    if (found != ENGINE_OK)
        return pass_of_engine(role, found);
    if (c.state == ENGINE_RUNNING)
        *verdict = judge(s, i, &c, words);
    engine_container_clear(&c);
    return PASS_OK;
}
