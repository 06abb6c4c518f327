/* One question over TCP or UDP, one answer. */
#include "tests/lib/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/check.h"

#define ANSWER_MAX 4096

static int connected(int type, const char *address, int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
        return -1;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = (long)(10 * check_patience())};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

char *net_tcp_ask(const char *address, int port, const char *line)
{
    char *answer = calloc(1, ANSWER_MAX + 1), text[1024];
    int fd = connected(SOCK_STREAM, address, port);
    if (fd < 0)
        return strcpy(answer, errno == ECONNREFUSED ? "refused" : "");
    int n = snprintf(text, sizeof text, "%s\n", line);
    size_t len = 0;
    ssize_t got = send(fd, text, (size_t)n, MSG_NOSIGNAL);
    while (got > 0 && memchr(answer, '\n', len) == NULL && len < ANSWER_MAX && (got = recv(fd, answer + len, ANSWER_MAX - len, 0)) > 0)
        len += (size_t)got;
    close(fd);
    char *end = strchr(answer, '\n');
    *(end != NULL ? end : answer) = '\0';
    return answer;
}

char *net_udp_ask(const char *address, int port, const char *text)
{
    char *answer = calloc(1, ANSWER_MAX + 1);
    int fd = connected(SOCK_DGRAM, address, port);
    for (int i = 0; fd >= 0 && i < 10 * check_patience() && answer[0] == '\0'; i++) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        send(fd, text, strlen(text), 0);
        if (poll(&p, 1, 1000) == 1 && recv(fd, answer, ANSWER_MAX, MSG_DONTWAIT) < 0)
            answer[0] = '\0';
    }
    if (fd >= 0)
        close(fd);
    return answer;
}
