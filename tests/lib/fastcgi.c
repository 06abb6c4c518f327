/* The few records of FastCGI that a client needs. */
#include "tests/lib/fastcgi.h"

#include <errno.h>
#include <fastcgi.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_ID 1
#define PART_MAX 60000

int fastcgi_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool write_all(int fd, const void *data, size_t len)
{
    for (const char *p = data; len > 0;) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static bool read_all(int fd, void *data, size_t len)
{
    for (char *p = data; len > 0;) {
        ssize_t n = read(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

/* libfcgi closes a connection on which the first read gives less than the first record; nginx sends records together. */
struct message {
    char *data;
    size_t len;
};

static void record_add(struct message *m, int type, const void *content, size_t len)
{
    FCGI_Header header = {.version = FCGI_VERSION_1, .type = (unsigned char)type, .requestIdB0 = REQUEST_ID,
                          .contentLengthB1 = (unsigned char)(len >> 8), .contentLengthB0 = (unsigned char)len};
    m->data = realloc(m->data, m->len + sizeof header + len);
    if (m->data == NULL)
        abort();
    memcpy(m->data + m->len, &header, sizeof header);
    memcpy(m->data + m->len + sizeof header, content, len);
    m->len += sizeof header + len;
}

static size_t param_add(char *out, size_t at, const char *name, const char *value)
{
    size_t lengths[2] = {strlen(name), strlen(value)};
    if (at + 8 + lengths[0] + lengths[1] > PART_MAX)
        abort();
    for (int i = 0; i < 2; i++) {
        if (lengths[i] < 128) {
            out[at++] = (char)lengths[i];
        } else {
            out[at++] = (char)(lengths[i] >> 24 | 0x80);
            out[at++] = (char)(lengths[i] >> 16);
            out[at++] = (char)(lengths[i] >> 8);
            out[at++] = (char)lengths[i];
        }
    }
    memcpy(out + at, name, lengths[0]);
    memcpy(out + at + lengths[0], value, lengths[1]);
    return at + lengths[0] + lengths[1];
}

bool fastcgi_send(int fd, const char *method, const char *uri, const char *token, const char *body)
{
    static char params[PART_MAX];
    char authorization[200], length[24];
    size_t n = 0, body_len = body != NULL ? strlen(body) : 0;
    FCGI_BeginRequestBody begin = {.roleB0 = FCGI_RESPONDER, .flags = FCGI_KEEP_CONN};
    snprintf(authorization, sizeof authorization, "Token %s", token);
    snprintf(length, sizeof length, "%zu", body_len);
    n = param_add(params, n, "REQUEST_METHOD", method);
    n = param_add(params, n, "REQUEST_URI", uri);
    n = param_add(params, n, "QUERY_STRING", strchr(uri, '?') != NULL ? strchr(uri, '?') + 1 : "");
    n = param_add(params, n, "CONTENT_TYPE", body != NULL ? "application/json" : "");
    n = param_add(params, n, "CONTENT_LENGTH", body != NULL ? length : "");
    n = param_add(params, n, "SERVER_NAME", "localhost");
    n = param_add(params, n, "REQUEST_SCHEME", "https");
    n = param_add(params, n, "REMOTE_ADDR", "127.0.0.1");
    n = param_add(params, n, "HTTP_AUTHORIZATION", authorization);
    struct message m = {0};
    record_add(&m, FCGI_BEGIN_REQUEST, &begin, sizeof begin);
    record_add(&m, FCGI_PARAMS, params, n);
    record_add(&m, FCGI_PARAMS, "", 0);
    for (size_t added = 0; added < body_len;) {
        size_t part = body_len - added < PART_MAX ? body_len - added : PART_MAX;
        record_add(&m, FCGI_STDIN, body + added, part);
        added += part;
    }
    record_add(&m, FCGI_STDIN, "", 0);
    bool sent = write_all(fd, m.data, m.len);
    free(m.data);
    return sent;
}

void fastcgi_receive(int fd, struct fastcgi_answer *answer)
{
    static char content[65536 + 256];
    size_t n = 0;
    FCGI_Header header;
    answer->status = 0;
    answer->text[0] = '\0';
    while (read_all(fd, &header, sizeof header)) {
        size_t len = (size_t)header.contentLengthB1 << 8 | header.contentLengthB0;
        if (!read_all(fd, content, len + header.paddingLength))
            return;
        if (header.type == FCGI_STDOUT) {
            size_t room = sizeof answer->text - 1 - n;
            size_t taken = len < room ? len : room;
            memcpy(answer->text + n, content, taken);
            n += taken;
            answer->text[n] = '\0';
        } else if (header.type == FCGI_END_REQUEST) {
            const char *status = strstr(answer->text, "Status: ");
            answer->status = status != NULL ? atoi(status + strlen("Status: ")) : 200;
            return;
        }
    }
}

bool fastcgi_readable(int fd, double seconds)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, (int)(seconds * 1000)) == 1;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Reads exactly len bytes by the end of the time. */
static bool read_until(int fd, void *bytes, size_t len, double end, bool *closed)
{
    for (char *p = bytes; len > 0;) {
        double left = end - now();
        if (left <= 0 || !fastcgi_readable(fd, left))
            return false;
        ssize_t n = read(fd, p, len);
        if (n <= 0) {
            *closed = true;
            return false;
        }
        p += n;
        len -= (size_t)n;
    }
    return true;
}

struct fastcgi_end fastcgi_drain(int fd, double seconds)
{
    static char content[65536 + 256];
    struct fastcgi_end result = {0};
    FCGI_Header header;
    double end = now() + seconds;
    while (read_until(fd, &header, sizeof header, end, &result.closed)) {
        size_t len = (size_t)header.contentLengthB1 << 8 | header.contentLengthB0;
        if (!read_until(fd, content, len + header.paddingLength, end, &result.closed))
            break;
        result.bytes += header.type == FCGI_STDOUT ? len : 0;
        result.finished = result.finished || header.type == FCGI_END_REQUEST;
    }
    return result;
}
