/* The socket on which nginx hands requests over. */
#include "fcgi/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

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

static int listen_tcp(const char *where, const struct api_settings *settings)
{
    char host[64];
    const char *colon = strrchr(where, ':');
    size_t n = colon != NULL ? (size_t)(colon - where) : 0;
    struct sockaddr_in address = {.sin_family = AF_INET};
    long port = colon != NULL ? strtol(colon + 1, NULL, 10) : 0;
    snprintf(host, sizeof host, "%.*s", (int)n, where);
    if (port < 1 || port > 65535 || inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        log_error("listen = %s is neither unix:PATH nor ADDRESS:PORT", where);
        return -1;
    }
    address.sin_port = htons((uint16_t)port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, (int)settings->backlog) != 0) {
        log_error("listening on %s: %m", where);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

int listen_open(const struct api_settings *settings)
{
    int fd = systemd_listen_socket();
    if (fd < 0)
        return strncmp(settings->listen, "unix:", 5) == 0 ? listen_unix(settings->listen + 5, settings)
                                                          : listen_tcp(settings->listen, settings);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        log_error("the socket that systemd passed: %m");
        return -1;
    }
    return fd;
}

void listen_close(int fd, const struct api_settings *settings)
{
    if (fd >= 0)
        close(fd);
    if (made_file && unlink(settings->listen + 5) != 0)
        log_warning("removing %s: %m", settings->listen + 5);
}
