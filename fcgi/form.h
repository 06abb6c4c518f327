/* Name=value pairs: the query string of a URL and the bodies that HTML forms send. */
#ifndef SKYLARK_FCGI_FORM_H
#define SKYLARK_FCGI_FORM_H

#include <stdbool.h>
#include <stddef.h>

#define FORM_FIELDS_MAX 32

struct form_field {
    char *name;
    char *value;
};

/* Zero-initialised is empty. Owns its strings; free with form_free. */
struct form {
    struct form_field fields[FORM_FIELDS_MAX];
    size_t n;
};

void form_free(struct form *form);

/* The value of the field of that name, NULL when there is none. */
const char *form_get(const struct form *form, const char *name);

/* Decodes %xx in place in a copy (plus: also + as a blank), which the caller frees. NULL when a % is not
 * followed by two hexadecimal digits, when the result has a NUL or is no UTF-8, or when memory ran out. */
char *form_decode(const char *text, size_t len, bool plus);

/* Parses a=b&c=d. On -1 *fault is a static sentence. */
int form_parse_urlencoded(struct form *form, const char *text, size_t len, const char **fault)
    __attribute__((warn_unused_result));

/* Parses multipart/form-data (RFC 7578) by the boundary of the Content-Type given. Parts must have a name
 * and UTF-8 text; a part's own headers but its name are passed over. */
int form_parse_multipart(struct form *form, const char *content_type, const char *body, size_t len,
                         const char **fault) __attribute__((warn_unused_result));

#endif
