/* An HTTP client for tests: one request, one answer, nothing hidden. */
#ifndef SKYLARK_TESTS_LIB_HTTP_H
#define SKYLARK_TESTS_LIB_HTTP_H

#include <stdbool.h>
#include <stddef.h>

struct http_call {
    const char *method;      /* NULL: GET */
    const char *base;        /* NULL: the API's public address */
    const char *path;        /* sent as it is: dots and slashes stay */
    const char *token;       /* NULL: no Authorization header */
    const char *type;        /* Content-Type of the body; NULL: application/json; "": none */
    const char *body;        /* NULL: none */
    size_t body_len;         /* 0: up to the NUL */
    const char *headers[4];  /* more of them, "Name: value" */
    const char *unix_socket; /* NULL: TCP */
    bool by_name;            /* base names a host that no name server knows: asked at 127.0.0.1 all the same */
    bool http2;
    bool insecure;           /* whatever certificate the server shows */
    bool no_ca;              /* knows the machine's authorities only */
    long tls_version;        /* CURL_SSLVERSION_…; 0: curl's own choice */
    const char *ciphers;     /* up to TLS 1.2; NULL: curl's own choice */
    long timeout_ms;         /* 0: 30 s; times check_patience() */
};

struct http_response {
    long status;   /* 0: no whole answer */
    char *body;    /* never NULL */
    size_t body_len;
    char *headers; /* raw lines; never NULL */
    double seconds, first_seconds; /* until all of it was there, until its first byte was */
    int code;      /* CURLcode */
    char error[256];
};

/* One handle a thread keeps its connections. Free the answer with http_free. */
struct http_response http_do(const struct http_call *call);
void http_free(struct http_response *response);

/* How often the header is there; its last value goes to value, cut to size. */
int http_header(const struct http_response *response, const char *name, char *value, size_t size);

/* Sends bytes as they are, over TLS when base is https, and returns all that comes back until the server
 * closes or 10 s pass. The caller frees it; NULL when there was no connection. */
char *http_raw(const char *base, const void *bytes, size_t len);

/* A client that sends bytes as they are, like http_raw, and then reads no more than it is told to. NULL when there was no
 * connection. */
struct http_slow;
struct http_slow *http_slow_open(const char *base, const void *bytes, size_t len);
/* Waits for exactly len bytes and returns them with a NUL, which the caller frees; NULL when they do not come within the seconds. */
char *http_slow_read(struct http_slow *slow, size_t len, double seconds);
void http_slow_close(struct http_slow *slow); /* accepts NULL */

/* Closes this thread's handle. */
void http_end(void);

#endif
