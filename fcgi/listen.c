/* The socket on which nginx hands requests over. */
#include "fcgi/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/listen_address.h"
#include "common/log.h"
#include "common/systemd.h"

static bool made_file;

/* Whether somebody still answers on the socket that is in the way. */
static bool socket_alive(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return true;
    bool alive = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno != ECONNREFUSED;
    close(fd);
    return alive;
}

static int listen_unix(const char *path, const struct api_settings *settings)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char *end;
    mode_t mode = (mode_t)strtoul(settings->socket_mode, &end, 8);
    if (*end != '\0' || mode > 0777) {
        log_error("socket_mode %s is no octal number up to 0777", settings->socket_mode);
        return -1;
    }
    if (strlen(path) >= sizeof address.sun_path) {
        log_error("%s is too long for a unix socket: at most %zu bytes", path, sizeof address.sun_path - 1);
        return -1;
    }
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        log_error("socket: %m");
        return -1;
    }
    /* Between bind and chmod nobody else may connect. */
    mode_t before = umask(0177);
    int bound = bind(fd, (struct sockaddr *)&address, sizeof address);
    struct stat st;
    if (bound != 0 && errno == EADDRINUSE && lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && !socket_alive(&address)) {
        unlink(path);
        bound = bind(fd, (struct sockaddr *)&address, sizeof address);
    }
    umask(before);
    if (bound != 0 || chmod(path, mode) != 0 || listen(fd, (int)settings->backlog) != 0) {
        log_error("listening on %s: %m", path);
        close(fd);
        return -1;
    }
    made_file = true;
    return fd;
}

/* Whoever connects is believed what it says of the request: who the client is, and by which listener of nginx it came. So nobody
 * on another host may connect. Returns 0, or -1 (logged). */
static int local_check(const struct sockaddr_storage *address, const char *where)
{
    if (listen_address_local(address))
        return 0;
    log_error("listening on %s would let other hosts speak FastCGI, unchecked: only a unix socket or a loopback address will do", where);
    return -1;
}

static int listen_tcp(const char *where, const struct api_settings *settings)
{
    struct sockaddr_storage address;
    if (!listen_address_parse(where, &address)) {
        log_error("listen = %s is neither unix:PATH nor ADDRESS:PORT", where);
        return -1;
    }
    if (local_check(&address, where) != 0)
        return -1;
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, (struct sockaddr *)&address, listen_address_size(&address)) != 0 || listen(fd, (int)settings->backlog) != 0) {
        log_error("listening on %s: %m", where);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

static int listen_passed(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    int flags = fcntl(fd, F_GETFL);
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0 || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        log_error("the socket that systemd passed: %m");
        return -1;
    }
    return local_check(&address, "the socket that systemd passed") == 0 ? fd : -1;
}

int listen_open(const struct api_settings *settings)
{
    int fd = systemd_listen_socket();
    if (fd >= 0)
        return listen_passed(fd);
    return strncmp(settings->listen, "unix:", 5) == 0 ? listen_unix(settings->listen + 5, settings)
                                                      : listen_tcp(settings->listen, settings);
}

void listen_close(int fd, const struct api_settings *settings)
{
    if (fd >= 0)
        close(fd);
    if (made_file && unlink(settings->listen + 5) != 0)
        log_warning("removing %s: %m", settings->listen + 5);
}
