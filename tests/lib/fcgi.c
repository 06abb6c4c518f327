/* A FastCGI client for tests. */
#include "tests/lib/fcgi.h"

#include <fastcgi.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lib/world.h"

#define MESSAGE_MAX 16384

struct message {
    unsigned char bytes[MESSAGE_MAX];
    size_t len;
};

static void add_record(struct message *m, int type, const unsigned char *content, size_t len)
{
    const unsigned char head[] = {FCGI_VERSION_1, (unsigned char)type, 0, 1, (unsigned char)(len >> 8), (unsigned char)len, 0, 0};
    memcpy(m->bytes + m->len, head, sizeof head);
    if (len > 0)
        memcpy(m->bytes + m->len + sizeof head, content, len);
    m->len += sizeof head + len;
}

static void add_parameter(struct message *m, const char *name, const char *value)
{
    size_t n = strlen(name), v = strlen(value);
    m->bytes[m->len++] = (unsigned char)n; /* below 128 */
    m->bytes[m->len++] = (unsigned char)(v >> 24 | 0x80);
    m->bytes[m->len++] = (unsigned char)(v >> 16);
    m->bytes[m->len++] = (unsigned char)(v >> 8);
    m->bytes[m->len++] = (unsigned char)v;
    memcpy(m->bytes + m->len, name, n);
    memcpy(m->bytes + m->len + n, value, v);
    m->len += n + v;
}

int fcgi_get(const char *socket_path, const char *uri, const char *token)
{
    static const unsigned char begin[] = {0, FCGI_RESPONDER, 0, 0, 0, 0, 0, 0};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct message parameters = {0}, all = {0};
    char authorization[1024];
    snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
    snprintf(authorization, sizeof authorization, "Token %s", token);
    add_parameter(&parameters, "REQUEST_METHOD", "GET");
    add_parameter(&parameters, "REQUEST_URI", uri);
    add_parameter(&parameters, "REMOTE_ADDR", "127.0.0.1");
    add_parameter(&parameters, "HTTP_AUTHORIZATION", authorization);
    add_record(&all, FCGI_BEGIN_REQUEST, begin, sizeof begin);
    add_record(&all, FCGI_PARAMS, parameters.bytes, parameters.len);
    add_record(&all, FCGI_PARAMS, NULL, 0);
    add_record(&all, FCGI_STDIN, NULL, 0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        send(fd, all.bytes, all.len, MSG_NOSIGNAL) != (ssize_t)all.len) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

bool fcgi_answered(int fd, double seconds)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, (int)(seconds * 1000)) == 1;
}

/* Reads exactly len bytes by the end of the time. */
static bool read_whole(int fd, unsigned char *bytes, size_t len, double end, bool *closed)
{
    while (len > 0) {
        double left = end - world_now();
        if (left <= 0 || !fcgi_answered(fd, left))
            return false;
        ssize_t n = read(fd, bytes, len);
        if (n <= 0) {
            *closed = true;
            return false;
        }
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

struct fcgi_end fcgi_drain(int fd, double seconds)
{
    struct fcgi_end result = {0};
    unsigned char head[FCGI_HEADER_LEN], content[65536 + 256];
    double end = world_now() + seconds;
    while (read_whole(fd, head, sizeof head, end, &result.closed)) {
        size_t len = (size_t)head[4] << 8 | head[5];
        if (!read_whole(fd, content, len + head[6], end, &result.closed))
            break;
        result.bytes += head[1] == FCGI_STDOUT ? len : 0;
        result.finished = result.finished || head[1] == FCGI_END_REQUEST;
    }
    return result;
}
