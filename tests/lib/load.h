/* A load client: so many connections that ask at the same time, and what came back. */
#ifndef SKYLARK_TESTS_LIB_LOAD_H
#define SKYLARK_TESTS_LIB_LOAD_H

#include <stdbool.h>

/* What a load saw. */
struct load_result {
    int done, failed; /* requests that ended, the failed ones among them */
    char first_failure[256];
    double seconds;         /* from the start to the end of the last request */
    double slowest_seconds; /* of one request */
    int hosts;              /* distinct hostnames among answers of serve's page, or of its TCP lines */
};

struct load;

/* Asks for serve's page again and again: requests in all, over so many connections at a time. A request is good when
 * the status is 200 and the body begins with "page of ". With requests 0 it goes on until load_stop. resolve is curl's
 * HOST:PORT:ADDRESS, or NULL; ca a file, or NULL. Without keep_alive every request has a connection of its own. */
struct load *load_http_start(const char *url, const char *resolve, const char *ca, int connections, int requests,
                             bool keep_alive);

/* The same for serve's TCP port, at an IP address: every request is a connection with one line. */
struct load *load_tcp_start(const char *address, int port, int connections, int requests);

/* From now on every connection rests for so long between two requests (at first 0: as fast as it goes). */
void load_pause(int ms);

/* How many requests ended so far, failed ones too; while it runs. */
int load_done(const struct load *load);

/* Stops early: each thread finishes the request that it is at. */
void load_stop(struct load *load);

/* Waits for the end, and frees. */
struct load_result load_finish(struct load *load);

#endif
