/* A FastCGI client: speaks to skylark-api as nginx does, without nginx between. */
#ifndef SKYLARK_TESTS_LIB_FASTCGI_H
#define SKYLARK_TESTS_LIB_FASTCGI_H

#include <stdbool.h>
#include <stddef.h>

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

/* Waits until a byte of the answer is there, without reading it. Returns false after the seconds. */
bool fastcgi_readable(int fd, double seconds);

struct fastcgi_end {
    size_t bytes;  /* of headers and body */
    bool closed;   /* by the other side, within the time */
    bool finished; /* with the record that says so */
};

/* Reads all that is left until the other side closes, for so many seconds at the most, and drops it. */
struct fastcgi_end fastcgi_drain(int fd, double seconds);

#endif
