/* What the containers of the tests run: HTTP, WebSocket, TCP and UDP answers that say who gave them.
 *
 *     serve HTTP_PORT [TCP_PORT] [UDP_PORT]        0 or absent: none
 *
 * Beside that the page of control.h. Environment: TAG is told in the answers, LISTEN_AFTER=ms delays the listeners. A thread a connection; needs
 * only libc, so that it links statically into an image without libraries. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* the image is built with a bare cc */
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "control.h"

enum {
    HEAD_MAX = 32 * 1024,
    FRAME_MAX = 64 * 1024,
    PIECE = 64 * 1024,
    FINISH_SECONDS = 5, /* what requests get to finish after SIGTERM */
};

static char hostname[256];
static const char *tag = "";

/* Main closes the writing end when it is told to end: from then on poll() reports the reading end to everyone. */
static int told[2];

/* How many threads there are besides main; it waits for none. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t none_left;
static int threads;

struct connection {
    int fd;
    char peer[INET_ADDRSTRLEN];
    size_t start, end; /* what was read and is not used yet: in[start] up to in[end] */
    bool unread;       /* the client may still be sending what nobody reads */
    char in[HEAD_MAX];
    char head[HEAD_MAX + 1];
    char frame[FRAME_MAX];
};

struct request {
    char method[16];
    char path[8192];
    const char *query; /* within path; "" when there is none */
    bool chunks;       /* the client knows chunked answers: HTTP/1.1 */
    bool keep;         /* the connection stays open after the answer */
    long long body;    /* how long the body was */
};

static bool is_told(void)
{
    return poll(&(struct pollfd){.fd = told[0], .events = POLLIN}, 1, 0) > 0;
}

static void sleep_ms(long long ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

/* Threads. */

static void thread_ends(void)
{
    pthread_mutex_lock(&lock);
    threads--;
    if (threads == 0)
        pthread_cond_signal(&none_left);
    pthread_mutex_unlock(&lock);
}

static bool start_thread(void *(*run)(void *), void *context)
{
    pthread_t thread;
    pthread_mutex_lock(&lock);
    threads++; /* before it runs, so that main never sees too few */
    pthread_mutex_unlock(&lock);
    int error = pthread_create(&thread, NULL, run, context);
    if (error != 0) {
        fprintf(stderr, "cannot start a thread: %s\n", strerror(error));
        thread_ends();
        return false;
    }
    pthread_detach(thread);
    return true;
}

/* Bytes in and out. */

static bool send_all(const struct connection *c, const void *bytes, size_t len, int flags)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t n = send(c->fd, at, len, flags | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

/* Reads more into the buffer. False at the end of the stream, on an error and when the buffer is full. */
static bool fill(struct connection *c)
{
    memmove(c->in, c->in + c->start, c->end - c->start);
    c->end -= c->start;
    c->start = 0;
    if (c->end == sizeof c->in)
        return false;
    ssize_t n;
    do {
        n = recv(c->fd, c->in + c->end, sizeof c->in - c->end, 0);
    } while (n < 0 && errno == EINTR);
    if (n <= 0)
        return false;
    c->end += (size_t)n;
    return true;
}

/* Takes n bytes out of the stream; to may be NULL, which forgets them. */
static bool take(struct connection *c, void *to, unsigned long long n)
{
    char *at = to;
    while (n > 0) {
        if (c->start == c->end && !fill(c))
            return false;
        size_t part = c->end - c->start;
        if (part > n)
            part = (size_t)n;
        if (at != NULL) {
            memcpy(at, c->in + c->start, part);
            at += part;
        }
        c->start += part;
        n -= part;
    }
    return true;
}

/* Takes a line, without its end. False when the stream ends before it does or the line does not fit. */
static bool take_line(struct connection *c, char *line, size_t size)
{
    char *end;
    while ((end = memchr(c->in + c->start, '\n', c->end - c->start)) == NULL)
        if (!fill(c))
            return false;
    size_t len = (size_t)(end - (c->in + c->start)), rest = len;
    if (len > 0 && end[-1] == '\r')
        len--;
    if (len >= size)
        return false;
    memcpy(line, c->in + c->start, len);
    line[len] = '\0';
    c->start += rest + 1;
    return true;
}

/* Waits until there is something to read. False when the process is told to end and nothing came: the connection
 * is idle. A connection that never asked anything is not idle, its first request is on the way: it gets a second. */
static bool wait_for_client(const struct connection *c, bool first)
{
    if (c->start < c->end)
        return true;
    struct pollfd fds[] = {{.fd = c->fd, .events = POLLIN}, {.fd = told[0], .events = POLLIN}};
    while (poll(fds, 2, -1) < 0 && errno == EINTR)
        ;
    if (fds[0].revents == 0 && first)
        poll(fds, 1, 1000);
    return fds[0].revents != 0;
}

/* Requests. */

/* The value of a header; false when there is none. */
static bool header(const char *head, const char *name, char *value, size_t size)
{
    size_t n = strlen(name);
    for (const char *line = strchr(head, '\n'); line != NULL; line = strchr(line, '\n')) {
        line++;
        if (strncasecmp(line, name, n) != 0 || line[n] != ':')
            continue;
        const char *start = line + n + 1;
        start += strspn(start, " \t");
        snprintf(value, size, "%.*s", (int)strcspn(start, "\r\n"), start);
        return true;
    }
    value[0] = '\0';
    return false;
}

/* A number of the query string. */
static long long number(const struct request *r, const char *name, long long otherwise)
{
    size_t n = strlen(name);
    const char *at = r->query;
    while (*at != '\0') {
        if (strncmp(at, name, n) == 0 && at[n] == '=') {
            long long value = strtoll(at + n + 1, NULL, 10);
            return value >= 0 ? value : 0;
        }
        at += strcspn(at, "&");
        at += strspn(at, "&");
    }
    return otherwise;
}

/* Takes the lines up to the empty one into head. */
static bool take_head(struct connection *c)
{
    char *end;
    while ((end = memmem(c->in + c->start, c->end - c->start, "\r\n\r\n", 4)) == NULL)
        if (!fill(c))
            return false;
    size_t len = (size_t)(end - (c->in + c->start)) + 2; /* with the end of the last line */
    memcpy(c->head, c->in + c->start, len);
    c->head[len] = '\0';
    c->start += len + 2;
    return true;
}

static bool parse_request(const struct connection *c, struct request *r)
{
    char minor, value[256];
    *r = (struct request){.query = ""};
    if (sscanf(c->head, "%15[^ \r\n] %8191[^ \r\n] HTTP/1.%c", r->method, r->path, &minor) != 3)
        return false;
    char *mark = strchr(r->path, '?');
    if (mark != NULL) {
        *mark = '\0';
        r->query = mark + 1;
    }
    r->chunks = minor != '0';
    header(c->head, "Connection", value, sizeof value);
    r->keep = r->chunks && strcasestr(value, "close") == NULL;
    return true;
}

/* Chunks up to the one of length 0, then the trailer. */
static bool forget_chunks(struct connection *c, long long *total)
{
    char line[1024], *end;
    for (;;) {
        if (!take_line(c, line, sizeof line))
            return false;
        unsigned long long len = strtoull(line, &end, 16);
        if (end == line || len > INT64_MAX - (unsigned long long)*total)
            return false;
        if (len == 0)
            break;
        if (!take(c, NULL, len) || !take_line(c, line, sizeof line) || line[0] != '\0')
            return false;
        *total += (long long)len;
    }
    do {
        if (!take_line(c, line, sizeof line))
            return false;
    } while (line[0] != '\0');
    return true;
}

/* Reads the body and forgets it, so that any size does. False when it is cut short or malformed. */
static bool forget_body(struct connection *c, struct request *r)
{
    char value[256], *end;
    if (header(c->head, "Expect", value, sizeof value) && strcasecmp(value, "100-continue") == 0 && c->start == c->end)
        send_all(c, "HTTP/1.1 100 Continue\r\n\r\n", 25, 0);
    if (header(c->head, "Transfer-Encoding", value, sizeof value))
        return strcasecmp(value, "chunked") == 0 && forget_chunks(c, &r->body);
    if (!header(c->head, "Content-Length", value, sizeof value))
        return true;
    r->body = strtoll(value, &end, 10);
    return end != value && *end == '\0' && r->body >= 0 && take(c, NULL, (unsigned long long)r->body);
}

/* Answers. Each returns whether the connection is still good. */

static const char *reason(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 431:
        return "Request Header Fields Too Large";
    case 500:
        return "Internal Server Error";
    case 503:
        return "Service Unavailable";
    default:
        return "Status";
    }
}

static bool has_body(const struct request *r, int status)
{
    return strcmp(r->method, "HEAD") != 0 && status != 204 && status != 304;
}

/* The lines before the body. Length -1: in chunks, or up to the end of the connection for a client of HTTP/1.0. */
static bool send_head(const struct connection *c, const struct request *r, int status, long long len)
{
    char head[512], length[64] = "";
    if (len < 0 && r->chunks)
        snprintf(length, sizeof length, "Transfer-Encoding: chunked\r\n");
    else if (len >= 0 && status != 204 && status != 304)
        snprintf(length, sizeof length, "Content-Length: %lld\r\n", len);
    int n = snprintf(head, sizeof head, "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\n%s%s\r\n", status, reason(status),
                     length, r->keep ? "" : "Connection: close\r\n");
    /* With what follows in one segment, if something does. */
    return send_all(c, head, (size_t)n, len > 0 && has_body(r, status) ? MSG_MORE : 0);
}

static bool answer(const struct connection *c, const struct request *r, int status, const char *body)
{
    size_t len = strlen(body);
    if (!send_head(c, r, status, (long long)len))
        return false;
    return !has_body(r, status) || send_all(c, body, len, 0);
}

static bool answer_page(const struct connection *c, const struct request *r)
{
    char body[1024];
    snprintf(body, sizeof body, "page of %s %s\n", hostname, tag);
    return answer(c, r, 200, body);
}

/* The head as it came, with lines that end as lines of a text do, and where it came from. */
static bool answer_headers(const struct connection *c, const struct request *r)
{
    char *body = malloc(HEAD_MAX + 64);
    if (body == NULL)
        return false;
    size_t len = 0;
    for (const char *at = c->head; *at != '\0'; at++)
        if (*at != '\r')
            body[len++] = *at;
    snprintf(body + len, 64, "peer: %s\n", c->peer);
    bool good = answer(c, r, 200, body);
    free(body);
    return good;
}

static bool answer_stream(const struct connection *c, const struct request *r)
{
    long long n = number(r, "n", 10), ms = number(r, "ms", 0);
    if (!send_head(c, r, 200, -1))
        return false;
    if (!has_body(r, 200))
        return true;
    for (long long i = 1; i <= n; i++) {
        char line[64], chunk[128];
        if (i > 1)
            sleep_ms(ms);
        int len = snprintf(line, sizeof line, "chunk %lld\n", i);
        if (r->chunks)
            len = snprintf(chunk, sizeof chunk, "%x\r\n%s\r\n", (unsigned)len, line);
        if (!send_all(c, r->chunks ? chunk : line, (size_t)len, 0))
            return false;
    }
    return !r->chunks || send_all(c, "0\r\n\r\n", 5, 0);
}

static bool answer_upload(const struct connection *c, const struct request *r)
{
    char body[64];
    snprintf(body, sizeof body, "received %lld\n", r->body);
    return answer(c, r, 200, body);
}

static bool answer_big(const struct connection *c, const struct request *r)
{
    long long left = number(r, "bytes", 0);
    if (!send_head(c, r, 200, left))
        return false;
    if (!has_body(r, 200))
        return true;
    char piece[PIECE];
    memset(piece, 'x', sizeof piece);
    while (left > 0) {
        size_t len = left < PIECE ? (size_t)left : PIECE;
        if (!send_all(c, piece, len, 0))
            return false;
        left -= (long long)len;
    }
    return true;
}

static bool answer_status(const struct connection *c, const struct request *r)
{
    char body[64];
    long long code = number(r, "code", 200);
    snprintf(body, sizeof body, "status %lld\n", code);
    return answer(c, r, code >= 200 && code <= 599 ? (int)code : 400, body); /* below 200 no answer ends */
}

/* WebSocket, RFC 6455. */

static uint32_t rotate(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

/* Of a message that fits into two blocks, 119 bytes. */
static void sha1(const char *message, size_t len, uint8_t digest[20])
{
    uint8_t block[128] = {0};
    size_t size = len + 9 <= 64 ? 64 : 128;
    memcpy(block, message, len);
    block[len] = 0x80;
    block[size - 2] = (uint8_t)(len * 8 >> 8);
    block[size - 1] = (uint8_t)(len * 8);

    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    for (size_t at = 0; at < size; at += 64) {
        uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
        for (int i = 0; i < 16; i++) {
            const uint8_t *p = block + at + i * 4;
            w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
        }
        for (int i = 16; i < 80; i++)
            w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        for (int i = 0; i < 80; i++) {
            uint32_t f, k;
            if (i < 20) {
                f = (b & c) | (~b & d);
                k = 0x5a827999;
            } else if (i < 40) {
                f = b ^ c ^ d;
                k = 0x6ed9eba1;
            } else if (i < 60) {
                f = (b & c) | (b & d) | (c & d);
                k = 0x8f1bbcdc;
            } else {
                f = b ^ c ^ d;
                k = 0xca62c1d6;
            }
            uint32_t next = rotate(a, 5) + f + e + k + w[i];
            e = d;
            d = c;
            c = rotate(b, 30);
            b = a;
            a = next;
        }
        h[0] += a;
        h[1] += b;
        h[2] += c;
        h[3] += d;
        h[4] += e;
    }
    for (int i = 0; i < 20; i++)
        digest[i] = (uint8_t)(h[i / 4] >> (24 - i % 4 * 8));
}

/* Of a digest: 20 bytes are 27 digits and one '='. */
static void base64(const uint8_t digest[20], char text[29])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *to = text;
    for (int i = 0; i < 20; i += 3) {
        uint32_t bits = (uint32_t)digest[i] << 16 | (uint32_t)digest[i + 1] << 8 | (i + 2 < 20 ? digest[i + 2] : 0);
        for (int shift = 18; shift >= 0; shift -= 6)
            *to++ = digits[bits >> shift & 63];
    }
    text[27] = '=';
    text[28] = '\0';
}

enum { WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

static bool send_frame(const struct connection *c, int opcode, const void *bytes, size_t len)
{
    uint8_t head[10] = {(uint8_t)(0x80 | opcode)};
    size_t size = 2;
    if (len < 126) {
        head[1] = (uint8_t)len;
    } else {
        size = len <= UINT16_MAX ? 4 : 10;
        head[1] = size == 4 ? 126 : 127;
        for (size_t i = 2; i < size; i++)
            head[i] = (uint8_t)((uint64_t)len >> (size - 1 - i) * 8);
    }
    return send_all(c, head, size, len > 0 ? MSG_MORE : 0) && send_all(c, bytes, len, 0);
}

static void send_close(struct connection *c, int code)
{
    uint8_t bytes[2] = {(uint8_t)(code >> 8), (uint8_t)code};
    c->unread = true;
    send_frame(c, WS_CLOSE, bytes, sizeof bytes);
}

/* Takes a frame and answers it. False when that was the last. */
static bool echo_frame(struct connection *c)
{
    uint8_t head[2], more[8], mask[4];
    if (!take(c, head, sizeof head))
        return false;
    int opcode = head[0] & 0x0f;
    uint64_t len = head[1] & 0x7f;
    size_t more_len = len == 127 ? 8 : len == 126 ? 2 : 0;
    if (!take(c, more, more_len))
        return false;
    if (more_len > 0)
        len = 0;
    for (size_t i = 0; i < more_len; i++)
        len = len << 8 | more[i];

    bool whole = (head[0] & 0x80) != 0, control = opcode >= WS_CLOSE;
    if ((head[1] & 0x80) == 0 || (head[0] & 0x70) != 0 || (control && (len > 125 || !whole))) {
        send_close(c, 1002); /* unmasked, with reserved bits, or no control frame */
        return false;
    }
    if (len > FRAME_MAX) {
        send_close(c, 1009);
        return false;
    }
    if (!take(c, mask, sizeof mask) || !take(c, c->frame, len))
        return false;
    for (size_t i = 0; i < len; i++)
        c->frame[i] = (char)(c->frame[i] ^ mask[i % 4]);

    if (opcode == WS_PONG)
        return true;
    if (opcode == WS_PING)
        return send_frame(c, WS_PONG, c->frame, len);
    if (opcode == WS_CLOSE) {
        send_frame(c, WS_CLOSE, c->frame, len < 2 ? 0 : 2);
        return false;
    }
    if ((opcode == WS_TEXT || opcode == WS_BINARY) && whole)
        return send_frame(c, opcode, c->frame, len);
    send_close(c, 1003); /* fragments */
    return false;
}

/* The connection ends with it. */
static bool answer_websocket(struct connection *c, struct request *r)
{
    char upgrade[64], key[64], head[256], accept_key[29];
    uint8_t digest[20];
    header(c->head, "Upgrade", upgrade, sizeof upgrade);
    if (strcasecmp(upgrade, "websocket") != 0 || !header(c->head, "Sec-WebSocket-Key", key, sizeof key))
        return answer(c, r, 400, "no websocket\n");
    int n = snprintf(head, sizeof head, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    sha1(head, (size_t)n, digest);
    base64(digest, accept_key);
    n = snprintf(
        head, sizeof head,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
        accept_key);
    if (!send_all(c, head, (size_t)n, 0))
        return false;
    while (wait_for_client(c, false))
        if (!echo_frame(c))
            return false;
    send_close(c, 1001); /* told to end */
    return false;
}

/* Connections. */

static bool answer_request(struct connection *c, struct request *r)
{
    if (strcmp(r->method, "POST") == 0 && strcmp(r->path, "/upload") == 0)
        return answer_upload(c, r);
    if (strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0)
        return answer(c, r, 404, "not found\n");
    if (strcmp(r->path, "/") == 0)
        return answer_page(c, r);
    if (strcmp(r->path, "/headers") == 0)
        return answer_headers(c, r);
    if (strcmp(r->path, "/slow") == 0) {
        sleep_ms(number(r, "ms", 0));
        r->keep = r->keep && !is_told();
        return answer_page(c, r);
    }
    if (strcmp(r->path, "/stream") == 0)
        return answer_stream(c, r);
    if (strcmp(r->path, "/big") == 0)
        return answer_big(c, r);
    if (strcmp(r->path, "/status") == 0)
        return answer_status(c, r);
    if (strcmp(r->path, "/ws") == 0)
        return answer_websocket(c, r);
    if (strcmp(r->path, "/hangup") == 0)
        return false; /* as one that crashes over it */
    return answer(c, r, 404, "not found\n");
}

/* One request, with its answer. False when the connection ends with it. */
static bool serve_request(struct connection *c)
{
    struct request r;
    if (!take_head(c)) {
        r = (struct request){.query = ""};
        c->unread = true;
        if (c->end == sizeof c->in)
            answer(c, &r, 431, "too long a head\n");
        return false;
    }
    if (!parse_request(c, &r) || !forget_body(c, &r)) {
        r.keep = false;
        c->unread = true;
        answer(c, &r, 400, "bad request\n");
        return false;
    }
    r.keep = r.keep && !is_told();
    return answer_request(c, &r) && r.keep;
}

/* Closing while something is unread would reset the connection, and the client might lose our last words:
 * give it a moment to close first. */
static void end_connection(struct connection *c)
{
    if (c->unread) {
        shutdown(c->fd, SHUT_WR);
        for (int i = 0; i < 1000; i++) {
            if (poll(&(struct pollfd){.fd = c->fd, .events = POLLIN}, 1, 1000) <= 0)
                break;
            if (recv(c->fd, c->in, sizeof c->in, 0) <= 0)
                break;
        }
    }
    close(c->fd);
    free(c);
    thread_ends();
}

static void *serve_http(void *context)
{
    struct connection *c = context;
    bool first = true;
    while (wait_for_client(c, first) && serve_request(c))
        first = false;
    end_connection(c);
    return NULL;
}

static void *serve_tcp(void *context)
{
    struct connection *c = context;
    char line[4096], text[8192];
    bool first = true;
    while (wait_for_client(c, first) && take_line(c, line, sizeof line)) {
        int n = snprintf(text, sizeof text, "tcp %s %s %s\n", hostname, tag, line);
        if (n >= (int)sizeof text || !send_all(c, text, (size_t)n, 0))
            break;
        first = false;
    }
    end_connection(c);
    return NULL;
}

/* Listeners. */

struct listener {
    int fd;
    void *(*serve)(void *connection);
};

static struct listener http_listener = {-1, serve_http}, tcp_listener = {-1, serve_tcp}, udp_listener = {-1, NULL};

static void start_connection(int fd, const struct sockaddr_in *peer, void *(*serve)(void *))
{
    struct connection *c = malloc(sizeof *c);
    if (c != NULL) {
        c->fd = fd;
        c->start = c->end = 0;
        c->unread = false;
        inet_ntop(AF_INET, &peer->sin_addr, c->peer, sizeof c->peer);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    }
    if (c == NULL || !start_thread(serve, c)) {
        close(fd);
        free(c);
    }
}

static void accept_connection(const struct listener *l)
{
    struct sockaddr_in peer = {0};
    socklen_t size = sizeof peer;
    int fd = accept4(l->fd, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC);
    if (fd >= 0)
        start_connection(fd, &peer, l->serve);
    else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
        sleep_ms(10); /* the next try would fail as fast */
}

/* How many clients are connected and not accepted yet; for a listener the kernel tells it in this field. */
static unsigned waiting_clients(int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
    return info.tcpi_unacked;
}

/* Accepts until told to end, and then those who wait already: closing would reset them. No more than those, since
 * clients that come again and again could keep the listener open. */
static void *accept_connections(void *context)
{
    const struct listener *l = context;
    while (!is_told()) {
        struct pollfd fds[] = {{.fd = l->fd, .events = POLLIN}, {.fd = told[0], .events = POLLIN}};
        if (poll(fds, 2, -1) > 0 && fds[0].revents != 0)
            accept_connection(l);
    }
    for (unsigned left = waiting_clients(l->fd); left > 0; left--)
        accept_connection(l);
    close(l->fd);
    thread_ends();
    return NULL;
}

static void *answer_datagrams(void *context)
{
    const struct listener *l = context;
    static char datagram[65536], text[sizeof datagram + sizeof hostname + 8];
    while (!is_told()) {
        struct pollfd fds[] = {{.fd = l->fd, .events = POLLIN}, {.fd = told[0], .events = POLLIN}};
        poll(fds, 2, -1);
        struct sockaddr_in peer = {0};
        socklen_t size = sizeof peer;
        ssize_t n = recvfrom(l->fd, datagram, sizeof datagram, 0, (struct sockaddr *)&peer, &size);
        if (n < 0)
            continue;
        int head = snprintf(text, sizeof text, "udp %s ", hostname);
        memcpy(text + head, datagram, (size_t)n);
        size_t len = (size_t)head + (size_t)n;
        if (len > 65507) /* the most that UDP carries */
            len = 65507;
        sendto(l->fd, text, len, 0, (struct sockaddr *)&peer, size);
    }
    close(l->fd);
    thread_ends();
    return NULL;
}

/* Opens the listener on the port that the argument names, if it does, and starts its thread. */
static void start_listener(struct listener *l, const char *port, int type, void *(*run)(void *))
{
    int number_of_port = port != NULL ? atoi(port) : 0;
    if (number_of_port == 0)
        return;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number_of_port)};
    l->fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (type == SOCK_STREAM)
        setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (l->fd < 0 || bind(l->fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        (type == SOCK_STREAM && listen(l->fd, SOMAXCONN) != 0)) {
        fprintf(stderr, "cannot listen on port %s: %s\n", port, strerror(errno));
        exit(1);
    }
    if (!start_thread(run, l))
        exit(1);
}

/* Start and end. */

static void do_nothing(int signal_number)
{
    (void)signal_number;
}

/* Waits at most so long for SIGTERM; ms -1: however long it takes. */
static bool wait_for_term(const sigset_t *term, long long ms)
{
    struct timespec limit = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    int got;
    do {
        got = ms < 0 ? sigwaitinfo(term, NULL) : sigtimedwait(term, NULL, &limit);
    } while (got < 0 && errno == EINTR);
    return got == SIGTERM;
}

static void wait_for_threads(void)
{
    struct timespec limit;
    clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_sec += FINISH_SECONDS;
    pthread_mutex_lock(&lock);
    while (threads > 0 && pthread_cond_timedwait(&none_left, &lock, &limit) == 0)
        ;
    pthread_mutex_unlock(&lock);
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: serve HTTP_PORT [TCP_PORT] [UDP_PORT]\n");
        return 2;
    }
    /* The kernel drops signals for process 1 that have no handler. Blocked in all threads, SIGTERM waits for main. */
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &term, NULL);
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = do_nothing}, NULL);
    signal(SIGPIPE, SIG_IGN);

    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&none_left, &monotonic);
    if (pipe2(told, O_CLOEXEC) != 0) {
        perror("pipe");
        return 1;
    }
    gethostname(hostname, sizeof hostname - 1);
    /* web-0-1a2b3c4d: told without what is different in each run. */
    char *last = strrchr(hostname, '-');
    if (last != NULL && strlen(last) == 9)
        *last = '\0';
    if (getenv("TAG") != NULL)
        tag = getenv("TAG");

    printf("serving %s\n", tag);
    fflush(stdout);
    control_start();
    const char *listen_after = getenv("LISTEN_AFTER");
    if (listen_after == NULL || !wait_for_term(&term, atoll(listen_after))) {
        start_listener(&http_listener, argv[1], SOCK_STREAM, accept_connections);
        start_listener(&tcp_listener, argc > 2 ? argv[2] : NULL, SOCK_STREAM, accept_connections);
        start_listener(&udp_listener, argc > 3 ? argv[3] : NULL, SOCK_DGRAM, answer_datagrams);
        wait_for_term(&term, -1);
    }
    close(told[1]);
    wait_for_threads();
    printf("told to end\n");
    fflush(stdout);
    _exit(0); /* at once: threads may be left, and exit() would clean up under their feet */
}
