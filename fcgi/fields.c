/* Checks a request body by a table of fields. */
#include "fcgi/fields.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "fcgi/json_read.h"

/* A text that holds JSON is a map of 1000 entries at the most. */
#define TEXT_VALUES_MAX 2048

struct check {
    enum fields_mode mode;
    struct problem *problem;
};

static struct json_object *value_check(const struct check *c, const struct field *f, const char *path,
                                       struct json_object *value);

static struct json_object *object_check(const struct check *c, const struct field *fields, size_t n, const char *path,
                                        struct json_object *input);

static const struct field *field_find(const struct field *fields, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    }
    return NULL;
}

/* No more of a name than a problem document shows. */
static void path_join(struct buf *out, const char *path, const char *name)
{
    buf_addf(out, "%s%s%.*s", path, path[0] != '\0' ? "." : "", PROBLEM_FIELD_MAX + 4, name);
}

/* "from 1 to 65535", with no more digits than it takes. */
static void add_range(struct buf *out, const struct field *f)
{
    buf_addf(out, "from %.15g to %.15g", f->min, f->max);
}

static struct json_object *text_value(const struct check *c, const struct field *f, const char *path,
                                      struct json_object *value)
{
    if (!json_object_is_type(value, json_type_string)) {
        problem_add(c->problem, path, "must be a string");
        return NULL;
    }
    const char *text = json_object_get_string(value);
    size_t len = (size_t)json_object_get_string_len(value);
    if ((f->min != 0 || f->max != 0) && ((double)len < f->min || (double)len > f->max)) {
        problem_add(c->problem, path, "must have %.0f to %.0f bytes; it has %zu", f->min, f->max, len);
        return NULL;
    }
    char *copy = strdup(text);
    if (copy == NULL) {
        problem_set(c->problem, PROBLEM_INTERNAL, "Out of memory.");
        return NULL;
    }
    for (char *p = copy; f->lower_case && *p != '\0'; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    }
    const char *fault = f->check != NULL ? f->check(copy) : NULL;
    if (fault != NULL)
        problem_add(c->problem, path, "%s", fault);
    struct json_object *out = fault == NULL ? json_object_new_string(copy) : NULL;
    free(copy);
    return out;
}

/* Whether a number that strtod took is whole as it is spelled: 3.0 and 1.5e1 are, and 3.00000000000000000001, which no double
 * tells from 3, is not. */
static bool spells_whole(const char *text)
{
    text += strspn(text, "+-");
    size_t before = strspn(text, "0123456789"), n = strspn(text, "0123456789.");
    long exponent = text[n] != '\0' ? strtol(text + n + 1, NULL, 10) : 0;
    long position = -(long)before; /* of a digit, counted from the decimal point */
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '.')
            continue;
        if (text[i] != '0' && position >= exponent)
            return false;
        position++;
    }
    return true;
}

static struct json_object *number_value(const struct check *c, const struct field *f, const char *path,
                                        struct json_object *value)
{
    double number = NAN;
    /* Of a number this is its own spelling. */
    const char *text = json_object_get_string(value);
    bool fits = json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double) ||
                (json_object_is_type(value, json_type_string) && json_object_get_string_len(value) < 64);
    /* strtod takes more than numbers in decimal: blanks, inf, nan, hexadecimal. */
    if (fits && text[0] != '\0' && text[strspn(text, "0123456789+-.eE")] == '\0') {
        char *end;
        number = strtod(text, &end);
        if (*end != '\0')
            number = NAN;
    }
    bool whole = f->type == FIELD_INTEGER;
    if (!isfinite(number) || (whole && !spells_whole(text))) {
        problem_add(c->problem, path, "must be a %s", whole ? "whole number" : "number");
        return NULL;
    }
    if ((f->min != 0 || f->max != 0) && (number < f->min || number > f->max)) {
        struct buf range = {0};
        add_range(&range, f);
        problem_add(c->problem, path, "must be %s", buf_text(&range));
        buf_free(&range);
        return NULL;
    }
    return whole ? json_object_new_int64((int64_t)number) : json_object_new_double(number);
}

static struct json_object *boolean_value(const struct check *c, const char *path, struct json_object *value)
{
    const char *text = json_object_get_string(value);
    bool fits = json_object_is_type(value, json_type_boolean) || json_object_is_type(value, json_type_string);
    if (fits && strcmp(text, "true") == 0)
        return json_object_new_boolean(true);
    if (fits && strcmp(text, "false") == 0)
        return json_object_new_boolean(false);
    problem_add(c->problem, path, "must be true or false");
    return NULL;
}

static struct json_object *choice_value(const struct check *c, const struct field *f, const char *path,
                                        struct json_object *value)
{
    const char *text = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
    struct buf names = {0};
    for (int i = 0; f->choices[i] != NULL; i++) {
        if (strcmp(f->choices[i], text) == 0) {
            buf_free(&names);
            return json_object_new_string(text);
        }
        buf_addf(&names, "%s%s", i > 0 ? ", " : "", f->choices[i]);
    }
    problem_add(c->problem, path, "must be one of %s", buf_text(&names));
    buf_free(&names);
    return NULL;
}

/* A text of a map: old clients also send bare numbers and booleans, which mean their own spelling, and null for no text. */
static struct json_object *map_text(const struct check *c, const struct field *f, const char *path,
                                    struct json_object *value)
{
    static const struct field plain = {.type = FIELD_TEXT, .max = 32768};
    struct field row = plain;
    row.check = f->check;
    if (json_object_is_type(value, json_type_string))
        return text_value(c, &row, path, value);
    if (json_object_is_type(value, json_type_object) || json_object_is_type(value, json_type_array)) {
        problem_add(c->problem, path, "must be a string");
        return NULL;
    }
    struct json_object *text = json_object_new_string(value != NULL ? json_object_to_json_string(value) : "");
    struct json_object *out = text_value(c, &row, path, text);
    json_object_put(text);
    return out;
}

/* What has too many entries is not looked at any further. */
static bool entries_fit(const struct check *c, const struct field *f, const char *path, size_t n)
{
    bool fits = f->max == 0 || (double)n <= f->max;
    if (!fits)
        problem_add(c->problem, path, "must have at most %.0f entries; it has %zu", f->max, n);
    return fits;
}

static struct json_object *map_value(const struct check *c, const struct field *f, const char *path,
                                     struct json_object *value)
{
    if (!entries_fit(c, f, path, (size_t)json_object_object_length(value)))
        return NULL;
    struct json_object *out = json_object_new_object();
    json_object_object_foreach(value, key, entry)
    {
        if (problem_full(c->problem))
            break;
        struct buf place = {0};
        path_join(&place, path, key);
        const char *fault = f->key_check(key);
        if (fault != NULL)
            problem_add(c->problem, buf_text(&place), "%s", fault);
        struct json_object *text = map_text(c, f, buf_text(&place), entry);
        if (text != NULL)
            json_object_object_add(out, key, text);
        buf_free(&place);
    }
    return out;
}

static struct json_object *array_value(const struct check *c, const struct field *f, const char *path,
                                       struct json_object *value)
{
    if (json_object_is_type(value, json_type_object) && json_object_object_length(value) == 0)
        return json_object_new_array();
    if (!json_object_is_type(value, json_type_array)) {
        problem_add(c->problem, path, "must be an array");
        return NULL;
    }
    size_t n = json_object_array_length(value);
    if (!entries_fit(c, f, path, n))
        return NULL;
    struct json_object *out = json_object_new_array();
    for (size_t i = 0; i < n && !problem_full(c->problem); i++) {
        struct json_object *entry = json_object_array_get_idx(value, i);
        struct buf place = {0};
        buf_addf(&place, "%s[%zu]", path, i);
        struct check whole = {.mode = FIELDS_CREATE, .problem = c->problem};
        struct json_object *checked = NULL; /* of what is no object, so that entries keep their numbers */
        if (json_object_is_type(entry, json_type_object))
            checked = object_check(&whole, f->fields, f->n_fields, buf_text(&place), entry);
        else
            problem_add(c->problem, buf_text(&place), "must be an object");
        json_object_array_add(out, checked);
        buf_free(&place);
    }
    return out;
}

struct json_text_faults {
    struct problem *problem;
    const char *path;
};

static bool json_text_fault(void *context, const char *path, const char *detail)
{
    const struct json_text_faults *t = context;
    struct buf place = {0};
    if (path[0] != '\0')
        path_join(&place, t->path, path);
    else
        buf_adds(&place, t->path);
    problem_add(t->problem, buf_text(&place), "%s", detail);
    buf_free(&place);
    return !problem_full(t->problem);
}

/* The object that a value is, or that a text holds; an empty array, as old clients send it, is an empty one. NULL, with the fault reported, when it is neither. The
 * caller puts it. */
static struct json_object *object_of(const struct check *c, const char *path, struct json_object *value)
{
    struct json_object *object = NULL;
    if (json_object_is_type(value, json_type_string)) {
        const char *text = json_object_get_string(value);
        size_t len = (size_t)json_object_get_string_len(value);
        struct json_text_faults faults = {.problem = c->problem, .path = path};
        if (len == 0)
            return json_object_new_object();
        if (json_read(text, len, TEXT_VALUES_MAX, json_text_fault, &faults, &object) > 0)
            return NULL;
    } else {
        object = json_object_get(value);
    }
    if (json_object_is_type(object, json_type_array) && json_object_array_length(object) == 0) {
        json_object_put(object);
        return json_object_new_object();
    }
    if (!json_object_is_type(object, json_type_object)) {
        problem_add(c->problem, path, "must be an object");
        json_object_put(object);
        return NULL;
    }
    return object;
}

static struct json_object *value_check(const struct check *c, const struct field *f, const char *path,
                                       struct json_object *value)
{
    switch (f->type) {
    case FIELD_TEXT:
        return text_value(c, f, path, value);
    case FIELD_INTEGER:
    case FIELD_NUMBER:
        return number_value(c, f, path, value);
    case FIELD_BOOLEAN:
        return boolean_value(c, path, value);
    case FIELD_CHOICE:
        return choice_value(c, f, path, value);
    case FIELD_ARRAY:
        return array_value(c, f, path, value);
    case FIELD_OBJECT:
    case FIELD_MAP:
        break;
    case FIELD_IGNORED:
    case FIELD__MAX:
        return NULL;
    }
    struct json_object *object = object_of(c, path, value), *out = NULL;
    if (object == NULL)
        return NULL;
    struct check whole = {.mode = FIELDS_CREATE, .problem = c->problem};
    if (f->type == FIELD_MAP)
        out = map_value(c, f, path, object);
    else if (json_object_object_length(object) == 0)
        out = json_object_new_object(); /* an empty one takes the settings away */
    else
        out = object_check(&whole, f->fields, f->n_fields, path, object);
    json_object_put(object);
    return out;
}

static struct json_object *object_check(const struct check *c, const struct field *fields, size_t n, const char *path,
                                        struct json_object *input)
{
    struct json_object *out = json_object_new_object();
    struct buf place = {0};
    json_object_object_foreach(input, key, value)
    {
        if (problem_full(c->problem))
            break;
        buf_clear(&place);
        path_join(&place, path, key);
        const struct field *f = field_find(fields, n, key);
        if (f == NULL) {
            problem_add(c->problem, buf_text(&place), "is not a field that can be set");
            continue;
        }
        if (value == NULL)
            continue;
        if (f->type == FIELD_IGNORED) {
            if (f->refusal != NULL)
                problem_add(c->problem, buf_text(&place), "%s", f->refusal);
            continue;
        }
        const char *name = f->alias_of != NULL ? f->alias_of : f->name;
        struct json_object *checked = value_check(c, f, buf_text(&place), value), *other;
        if (checked == NULL)
            continue;
        if (json_object_object_get_ex(out, name, &other) && !json_object_equal(other, checked))
            problem_add(c->problem, buf_text(&place), "says something else than another name of the same field");
        json_object_object_add(out, name, checked);
    }
    for (size_t i = 0; i < n && c->mode == FIELDS_CREATE && !problem_full(c->problem); i++) {
        const struct field *f = &fields[i];
        struct json_object *given;
        if (f->alias_of != NULL || json_object_object_get_ex(out, f->name, &given))
            continue;
        bool tried = json_object_object_get_ex(input, f->name, &given) && given != NULL;
        for (size_t a = 0; a < n && !tried; a++)
            tried = fields[a].alias_of != NULL && strcmp(fields[a].alias_of, f->name) == 0 &&
                    json_object_object_get_ex(input, fields[a].name, &given) && given != NULL;
        if (tried)
            continue; /* its fault is reported already */
        buf_clear(&place);
        path_join(&place, path, f->name);
        if (f->required)
            problem_add(c->problem, buf_text(&place), "must be given");
        else if (f->fallback != NULL)
            json_object_object_add(out, f->name, json_tokener_parse(f->fallback));
    }
    buf_free(&place);
    return out;
}

struct json_object *fields_check(const struct field *fields, size_t n_fields, struct json_object *input,
                                 enum fields_mode mode, struct problem *problem)
{
    struct check c = {.mode = mode, .problem = problem};
    return object_check(&c, fields, n_fields, "", input);
}
