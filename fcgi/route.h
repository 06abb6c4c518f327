/* The routes: one row each with its method, path, needed right, body and handler. The dispatcher enforces what
 * a row says; a handler checks none of it. */
#ifndef SKYLARK_FCGI_ROUTE_H
#define SKYLARK_FCGI_ROUTE_H

#include <stddef.h>

#include "fcgi/request.h"

enum route_access {
    ROUTE_DENIED,   /* a row that says nothing lets nobody in */
    ROUTE_PUBLIC,   /* anybody */
    ROUTE_INTERNAL, /* over the listener that is not public */
    ROUTE_TOKEN,    /* a valid token */
    ROUTE_READ,     /* a token with the right in the URL's namespace */
    ROUTE_WRITE,
    ROUTE__MAX
};

/* How the dispatcher calls the handler. */
enum route_kind {
    ROUTE_PLAIN, /* handle(rq, NULL); the handler runs what statements it needs */
    ROUTE_QUERY, /* one statement, which says by itself who asks: its parameters $1 and $2 are token and namespace,
                  * its first columns those of skylark.access; then handle(rq, result) */
    ROUTE_LONG_QUERY, /* the same, but it may take seconds, so only a share of the workers is at such routes at once */
    ROUTE_CHANGE, /* handle(rq, NULL) in a transaction, which is committed when it reports no problem. May be called
                   * again after a deadlock: all that it did is then undone, and what parse made is as it was */
};

#define ROUTE_PARAMETERS_MAX 10

/* Parameters of every statement of a ROUTE_QUERY; those from the third on where the route's pattern has them. */
enum { ROUTE_P_TOKEN_HASH, ROUTE_P_NAMESPACE, ROUTE_P_SERVICE_NAME, ROUTE_P_INSTANCE_ID };

/* Its first columns, and api/authorise's, by which the dispatcher judges. What the route is for follows; of most it is a
 * document. A unit test holds the statements to all this. */
enum {
    ROUTE_C_TOKEN_ID,
    ROUTE_C_USER_NAME,
    ROUTE_C_GRANTED,
    ROUTE_C_TOKEN_UNMARKED,
    ROUTE_ACCESS_COLUMNS,
    ROUTE_C_DOCUMENT = ROUTE_ACCESS_COLUMNS
};

struct route {
    enum http_method method;
    const char *pattern; /* segments; {namespace}, {name}, {uuid}, {user}, {region} and {organisation} capture one */
    const char *query;   /* a parameter that the URL must have for this row, which stands before the one without; NULL: none */
    enum route_access access;
    enum route_kind kind;
    unsigned bodies;     /* mask of 1 << enum body_kind; 0: the body is not read */
    size_t body_limit;   /* bytes; a larger body is a 413. The setting body_limit may make it less, never more */
    unsigned values_max; /* JSON values in the body, keys not counted; with more, nothing is made of it and the answer is a 400 */
    /* Makes of the body, and of the query of a ROUTE_CHANGE, what the handler needs (rq->asked), and reports every fault that
     * can be seen without asking PostgreSQL. Called once, before any statement, so no lock is held meanwhile; faults are told only
     * to whom the row lets in, and then the handler is not called. */
    void (*parse)(struct request *rq);
    unsigned statement;  /* ROUTE_QUERY, ROUTE_LONG_QUERY */
    /* The same two: sets parameters (by their {STATEMENT}_P_…; strings must live as long as the request), or reports a
     * problem. Token, namespace and, if the pattern has one, the service's name are set already. */
    void (*bind)(struct request *rq, const char **params);
    void (*handle)(struct request *rq, const PGresult *result);
    const char *help;
};

extern const struct route routes[];
extern const size_t n_routes;

/* Finds the row for the request and captures what its pattern names. Reports 404 or 405 (with Allow) and returns
 * NULL when there is none. OPTIONS is answered here: NULL without a problem. */
const struct route *route_find(struct request *rq);

#endif
