/* A FastCGI client: speaks to skylark-api as nginx does, without nginx between. */
#ifndef SKYLARK_TESTS_LIB_FASTCGI_H
#define SKYLARK_TESTS_LIB_FASTCGI_H

#include <stdbool.h>

#define FASTCGI_TEXT_MAX 65536

struct fastcgi_answer {
    int status; /* 0: the connection ended before the answer did */
    char text[FASTCGI_TEXT_MAX]; /* headers and body, cut there */
};

/* A connection to the unix socket, -1 when there is none to be had. */
int fastcgi_connect(const char *path);

/* Sends a request, and asks for the connection to be kept. body NULL: none. Returns whether all of it was taken. */
bool fastcgi_send(int fd, const char *method, const char *uri, const char *token, const char *body);

/* Reads its answer to the end. Blocks for as long as the server takes. */
void fastcgi_receive(int fd, struct fastcgi_answer *answer);

#endif
