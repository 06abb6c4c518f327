/* A FastCGI client for tests: what nginx does, at any speed. */
#ifndef SKYLARK_TESTS_LIB_FCGI_H
#define SKYLARK_TESTS_LIB_FCGI_H

#include <stdbool.h>
#include <stddef.h>

/* Connects to the unix socket and sends a GET of the URI with the token. Returns the descriptor, which the caller closes, or -1. */
int fcgi_get(const char *socket_path, const char *uri, const char *token);

/* Waits until at least one byte of the answer is there, without reading it. Returns false after the seconds. */
bool fcgi_answered(int fd, double seconds);

struct fcgi_end {
    size_t bytes;   /* of the answer, with its headers */
    bool closed;    /* by the other side, within the time */
    bool finished;  /* with a record that says so */
};

/* Reads all that is left until the other side closes, or for so many seconds. */
struct fcgi_end fcgi_drain(int fd, double seconds);

#endif
