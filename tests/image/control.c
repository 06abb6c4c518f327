/* The control page of the tests' image. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* the image is built with a bare cc */
#endif
#include "control.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static sem_t gone;

static long long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Whether it can be read or written before the end. */
static bool ready(int fd, short events, long long end)
{
    struct pollfd p = {.fd = fd, .events = events};
    for (;;) {
        long long left = end - now_ms();
        int n = poll(&p, 1, left > 0 ? (int)left : 0);
        if (n >= 0 || errno != EINTR)
            return n == 1;
    }
}

/* --- names: a question to the name server of /etc/resolv.conf. A static program has no other way that needs nothing of the image. --- */

static bool name_server(struct sockaddr_in *to)
{
    char line[256], address[64];
    bool found = false;
    FILE *f = fopen("/etc/resolv.conf", "r");
    *to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(53)};
    while (!found && f != NULL && fgets(line, sizeof line, f) != NULL)
        found = sscanf(line, "nameserver %63s", address) == 1 && inet_pton(AF_INET, address, &to->sin_addr) == 1;
    if (f != NULL)
        fclose(f);
    return found;
}

static size_t question(const char *name, uint8_t *to)
{
    static const uint8_t head[12] = {0x5b, 0x17, 1, 0, 0, 1}; /* recursion desired, one question */
    static const uint8_t tail[5] = {0, 0, 1, 0, 1};           /* end of the name, A, IN */
    memcpy(to, head, sizeof head);
    size_t n = sizeof head;
    while (*name != '\0') {
        size_t len = strcspn(name, ".");
        to[n++] = (uint8_t)len;
        memcpy(to + n, name, len);
        n += len;
        name += len + (name[len] == '.');
    }
    memcpy(to + n, tail, sizeof tail);
    return n + sizeof tail;
}

/* Behind a name of the answer; 0: it is cut. */
static size_t name_skip(const uint8_t *p, size_t len, size_t at)
{
    while (at < len && p[at] != 0) {
        if ((p[at] & 0xc0) == 0xc0)
            return at + 2 <= len ? at + 2 : 0;
        at += (size_t)p[at] + 1;
    }
    return at < len ? at + 1 : 0;
}

/* The first A of an answer. */
static bool answer_address(const uint8_t *p, size_t len, size_t at, struct in_addr *address)
{
    for (int left = len >= 12 ? p[6] << 8 | p[7] : 0; left > 0; left--) {
        at = name_skip(p, len, at);
        if (at == 0 || at + 10 > len)
            return false;
        size_t size = (size_t)(p[at + 8] << 8 | p[at + 9]);
        bool is_a = p[at] == 0 && p[at + 1] == 1 && size == 4;
        at += 10;
        if (at + size > len)
            return false;
        if (is_a) {
            memcpy(address, p + at, 4);
            return true;
        }
        at += size;
    }
    return false;
}

static bool resolve(const char *name, struct in_addr *address, long long end)
{
    struct sockaddr_in server;
    uint8_t packet[512];
    bool found = false;
    if (inet_pton(AF_INET, name, address) == 1)
        return true;
    if (strlen(name) > 250 || !name_server(&server))
        return false;
    size_t asked = question(name, packet);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&server, sizeof server) == 0 && send(fd, packet, asked, 0) == (ssize_t)asked && ready(fd, POLLIN, end)) {
        ssize_t n = recv(fd, packet, sizeof packet, 0);
        found = n > 0 && answer_address(packet, (size_t)n, asked, address);
    }
    close(fd);
    return found;
}

/* --- reaching --- */

/* The line that comes back, or why none, goes to text. */
static void reach(const char *host, int port, long long ms, char *text, size_t size)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    long long end = now_ms() + ms;
    if (!resolve(host, &to.sin_addr, end)) {
        snprintf(text, size, "no address of %s\n", host);
        return;
    }
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error = 0;
    socklen_t len = sizeof error;
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        error = errno;
    if (error == EINPROGRESS) {
        error = ETIMEDOUT;
        if (ready(fd, POLLOUT, end))
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    }
    size_t n = 0;
    if (error == 0 && send(fd, "x\n", 2, MSG_NOSIGNAL) == 2) {
        ssize_t got = 1;
        while (got > 0 && n < size - 1 && memchr(text, '\n', n) == NULL && ready(fd, POLLIN, end))
            if ((got = recv(fd, text + n, size - 1 - n, 0)) > 0)
                n += (size_t)got;
    }
    close(fd);
    text[n] = '\0';
    if (n == 0)
        snprintf(text, size, "no answer of %s: %s\n", host, strerror(error));
}

/* --- the page --- */

static void answer(int fd, const char *head)
{
    char host[256] = "", text[1024] = "unknown\n", all[1200];
    int port = 0;
    long long ms = 1000;
    if (sscanf(head, "GET /reach?host=%255[^& ]&port=%d&ms=%lld", host, &port, &ms) == 3) {
        reach(host, port, ms, text, sizeof text);
    } else if (strncmp(head, "GET /go ", 8) == 0) {
        sem_post(&gone);
        snprintf(text, sizeof text, "gone\n");
    }
    int n = snprintf(all, sizeof all, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", strlen(text), text);
    send(fd, all, (size_t)n, MSG_NOSIGNAL);
}

static void *serve_one(void *context)
{
    int fd = (int)(intptr_t)context;
    char head[2048];
    size_t n = 0;
    long long end = now_ms() + 10000;
    ssize_t got;
    while (n < sizeof head - 1 && ready(fd, POLLIN, end) && (got = recv(fd, head + n, sizeof head - 1 - n, 0)) > 0) {
        n += (size_t)got;
        head[n] = '\0';
        if (strstr(head, "\r\n\r\n") != NULL) {
            answer(fd, head);
            break;
        }
    }
    close(fd);
    return NULL;
}

static void start(void *(*run)(void *), void *context)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, context) == 0)
        pthread_detach(thread);
}

static void *serve_all(void *context)
{
    int fd = (int)(intptr_t)context;
    for (;;) {
        int one = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        if (one >= 0)
            start(serve_one, (void *)(intptr_t)one);
        else if (errno != EINTR && errno != ECONNABORTED)
            nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    }
    return NULL;
}

void control_start(void)
{
    const char *wanted = getenv("CONTROL");
    sem_init(&gone, 0, 0);
    if (wanted != NULL && strcmp(wanted, "off") == 0)
        return;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(CONTROL_PORT)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, SOMAXCONN) != 0) {
        fprintf(stderr, "cannot listen on port %d: %s\n", CONTROL_PORT, strerror(errno));
        exit(1);
    }
    start(serve_all, (void *)(intptr_t)fd);
}

void control_wait(void)
{
    while (sem_wait(&gone) != 0)
        ;
}
