/* What went wrong with a request: one enum, one table to status and title, and the document of RFC 9457. */
#ifndef SKYLARK_FCGI_PROBLEM_H
#define SKYLARK_FCGI_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

enum problem_kind {
    PROBLEM_NONE,
    PROBLEM_BAD_REQUEST, /* the request itself can't be read */
    PROBLEM_INVALID,     /* it can, but what it says can't be taken; errors[] names every fault */
    PROBLEM_UNAUTHORIZED,
    PROBLEM_FORBIDDEN,
    PROBLEM_QUOTA, /* the namespace has as much as it may */
    PROBLEM_NOT_FOUND,
    PROBLEM_METHOD,
    PROBLEM_CONFLICT,
    PROBLEM_TOO_LARGE,
    PROBLEM_MEDIA_TYPE,
    PROBLEM_TOO_MANY,
    PROBLEM_INTERNAL,
    PROBLEM_UNAVAILABLE,
    PROBLEM__MAX
};

/* A document is small whatever the request was. At most PROBLEM_ERRORS_MAX faults are named; the text of each is cut at
 * PROBLEM_FIELD_MAX and PROBLEM_FAULT_MAX bytes, and no more are named once all of them have PROBLEM_ERRORS_SIZE. The detail
 * is cut at PROBLEM_DETAIL_MAX. A byte is at most six in JSON (\u001f), so a document has at most
 * 40 KiB + 6 * (320 + 320 + 2048) bytes and what surrounds them: less than PROBLEM_DOCUMENT_MAX. */
#define PROBLEM_ERRORS_MAX 100
#define PROBLEM_FIELD_MAX 320
#define PROBLEM_FAULT_MAX 320
#define PROBLEM_ERRORS_SIZE (40 * 1024)
#define PROBLEM_DETAIL_MAX 2048
#define PROBLEM_DOCUMENT_MAX (64 * 1024)

struct problem {
    enum problem_kind kind;
    struct buf detail;
    struct buf errors; /* members of errors[], as JSON, with commas between */
    int n_errors;      /* named ones */
    bool more;         /* there are more than can be named */
    int retry_after; /* seconds; 0: not said */
};

void problem_free(struct problem *p);
void problem_clear(struct problem *p);

/* Sets what went wrong; the first one stands. */
void problem_set(struct problem *p, enum problem_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds one fault of one field (or other place) of the request, and makes it PROBLEM_INVALID. When as many are named as can be,
 * notes that there are more. */
void problem_add(struct problem *p, const char *field, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Whether there are more faults than can be named: whoever checks stops then. */
bool problem_full(const struct problem *p);

/* HTTP status and reason, such as "404 Not Found". */
const char *problem_status(enum problem_kind kind);
int problem_code(enum problem_kind kind);

/* Adds the document. */
void problem_document(const struct problem *p, const char *request_id, struct buf *out);

#endif
