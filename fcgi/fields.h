/* The fields of a request body as rows of a table: checking, messages and the reference documentation all
 * follow the rows. */
#ifndef SKYLARK_FCGI_FIELDS_H
#define SKYLARK_FCGI_FIELDS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "fcgi/checks.h"
#include "fcgi/problem.h"

enum field_type {
    FIELD_TEXT,
    FIELD_INTEGER, /* also as text: "30" */
    FIELD_NUMBER,  /* also as text: "0.6" */
    FIELD_BOOLEAN, /* also as text: "true", "false" */
    FIELD_CHOICE,  /* text, one of choices */
    FIELD_OBJECT,  /* of fields; also as text that holds the object's JSON */
    FIELD_MAP,     /* any keys (key_check), each with a text (check); also as text that holds its JSON */
    FIELD_ARRAY,   /* of objects of fields; {} is taken as an empty one, as old clients send it */
    FIELD_IGNORED, /* sent by old clients and of no meaning here: not stored; a value that would have one is refused */
    FIELD__MAX
};

struct field {
    const char *name;
    enum field_type type;
    bool required;           /* on create, and in every object of an array; an object's own follow its row */
    const char *fallback;    /* default on create, as JSON; NULL: none */
    double min, max;         /* numbers: range; texts: bytes; maps and arrays: entries. Both 0: any */
    const char *const *choices; /* NULL-terminated */
    text_check *check;       /* of a text, or of a map's values; may be NULL */
    text_check *key_check;   /* of a map's keys */
    const struct field *fields;
    size_t n_fields;
    const char *alias_of;    /* another name for that field, kept for old clients */
    bool lower_case;         /* upper-case letters are made lower-case first */
    const char *refusal;     /* FIELD_IGNORED: what is wrong with a value that is not null; NULL: any value is passed over */
    const char *help;
};

enum fields_mode {
    FIELDS_CREATE, /* required ones must be there, defaults fill in */
    FIELDS_UPDATE, /* only what is there counts */
};

/* Checks input (an object) against the rows and returns what is to be stored: a new object with the rows' names,
 * in their types, which the caller puts. Every fault goes to problem, named by its place ("volumes[0].size_gb");
 * with any, what is returned is incomplete: a field with a fault may be missing, an entry of an array may be null. Stops when
 * no more faults can be named. A null is taken as absent. */
struct json_object *fields_check(const struct field *fields, size_t n_fields, struct json_object *input,
                                 enum fields_mode mode, struct problem *problem);

#endif
