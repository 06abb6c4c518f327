/* Requests that are built to be expensive, and what they may cost: the answer's size, the worker's memory, the statements. Never
 * time. */
#ifndef SKYLARK_TESTS_HOSTILE_H
#define SKYLARK_TESTS_HOSTILE_H

#include "common/buf.h"
#include "fcgi/route.h"
#include "tests/lib/check.h"
#include "tests/lib/http.h"

#define SPACE "madams"     /* the namespace */
#define SERVICE "hostile"  /* a service in it that is there */
#define CREATED "hostile-new"

/* What a value in a body is made of. Each is as large as there is room. */
enum filling {
    FILL_STRING,        /* one letter again and again */
    FILL_ESCAPES,       /* control characters, six bytes each in JSON */
    FILL_WIDE,          /* characters of four bytes */
    FILL_NUMBER,        /* digits */
    FILL_EXPONENT,      /* a number whose exponent has many digits */
    FILL_DEEP_ARRAYS,
    FILL_DEEP_OBJECTS,
    FILL_EMPTY_OBJECTS, /* [{},{},…] */
    FILL_NUMBERS,       /* [0,0,…] */
    FILL_LONG_KEY,      /* an object with one key, which holds an object with 102 equal keys */
    FILL_LONG_KEYS,     /* an object with 150 long keys */
    FILL_MANY_KEYS,     /* an object with as many short keys as fit */
    FILL_EQUAL_KEYS,    /* one key, as often as fits */
    FILL_SURROGATES,    /* an array of texts that can't be taken */
    FILL_TEXT_KEYS,     /* a string that holds an object with many keys */
    FILL_TEXT_DEEP,     /* a string that holds deep arrays */
    FILL_BLANKS,        /* null, after blanks */
    FILL__MAX
};
extern const char *const filling_names[FILL__MAX];

/* Adds a value of about room bytes, of JSON that is well-formed unless the filling says otherwise. */
void fill(struct buf *out, enum filling filling, size_t room);

/* Adds the path of a route: this namespace and service, or name in the place of all that is captured. */
void hostile_path(struct buf *out, const struct route *route, const char *name);

/* What every test begins with: the service is there, and costs are measured, from the first test on. */
void hostile_begin(void);
void hostile_end(void); /* the service goes */

struct cost_limits {
    long status_min, status_max;
    unsigned statements_max;
    bool document; /* the answer is a document, whose size is what was stored */
};

/* Sends the request to a route (NULL: to none) and checks what it cost. Returns the status. what names the request when a check fails. */
long cost_send(const struct route *route, const struct http_call *call, const struct cost_limits *limits, const char *what);

/* Checks that the workers are those of hostile_begin, and that none of them ever had more than 32 MiB above what it had then. */
void cost_check_workers(const char *what);

extern const struct check_test tests_bodies[], tests_fields[];

#endif
