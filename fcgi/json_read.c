/* Reads JSON text. */
#include "fcgi/json_read.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/utf8.h"

struct scan {
    const char *text, *at, *end;
    json_read_fault *fault;
    void *context;
    int faults;
    int depth;
    unsigned values, values_max;
    struct buf path;
    struct buf string; /* the last string read, decoded */
};

/* Returns whether to go on. */
static bool __attribute__((format(printf, 2, 3))) scan_fault(struct scan *s, const char *fmt, ...)
{
    char detail[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(detail, sizeof detail, fmt, ap);
    va_end(ap);
    s->faults++;
    return s->fault(s->context, buf_text(&s->path), detail);
}

/* A fault of grammar: the scan ends here. */
static bool scan_broken(struct scan *s, const char *what)
{
    size_t line = 1, column = 1;
    for (const char *p = s->text; p < s->at; p++) {
        column++;
        if (*p == '\n') {
            line++;
            column = 1;
        }
    }
    buf_clear(&s->path);
    scan_fault(s, "line %zu, column %zu: %s", line, column, what);
    return false;
}

static void skip_blanks(struct scan *s)
{
    while (s->at < s->end && strchr(" \t\r\n", *s->at) != NULL && *s->at != '\0')
        s->at++;
}

static bool take(struct scan *s, char c)
{
    skip_blanks(s);
    if (s->at >= s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

static bool hex4(struct scan *s, uint32_t *value)
{
    *value = 0;
    for (int i = 0; i < 4; i++, s->at++) {
        if (s->at >= s->end)
            return false;
        char c = *s->at;
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;
        if (digit == 16)
            return false;
        *value = *value << 4 | digit;
    }
    return true;
}

static void add_code_point(struct buf *b, uint32_t c)
{
    if (c < 0x80) {
        buf_addc(b, (char)c);
    } else if (c < 0x800) {
        buf_addc(b, (char)(0xc0 | c >> 6));
        buf_addc(b, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buf_addc(b, (char)(0xe0 | c >> 12));
        buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_addc(b, (char)(0x80 | (c & 0x3f)));
    } else {
        buf_addc(b, (char)(0xf0 | c >> 18));
        buf_addc(b, (char)(0x80 | (c >> 12 & 0x3f)));
        buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_addc(b, (char)(0x80 | (c & 0x3f)));
    }
}

/* What follows a backslash and a u. Sets *nul or *lone for what is well-formed but can't be taken. */
static bool scan_unicode_escape(struct scan *s, bool *nul, bool *lone)
{
    uint32_t c, low;
    if (!hex4(s, &c))
        return scan_broken(s, "\\u must be followed by four hexadecimal digits");
    if (c == 0) {
        *nul = true;
        return true;
    }
    if (c >= 0xd800 && c <= 0xdbff && s->end - s->at >= 2 && s->at[0] == '\\' && s->at[1] == 'u') {
        const char *before = s->at;
        s->at += 2;
        if (!hex4(s, &low))
            return scan_broken(s, "\\u must be followed by four hexadecimal digits");
        if (low >= 0xdc00 && low <= 0xdfff) {
            add_code_point(&s->string, 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00));
            return true;
        }
        s->at = before;
    }
    if (c >= 0xd800 && c <= 0xdfff)
        *lone = true;
    else
        add_code_point(&s->string, c);
    return true;
}

static bool scan_escape(struct scan *s, bool *nul, bool *lone)
{
    static const char escapes[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (s->at >= s->end)
        return scan_broken(s, "a string is not closed");
    char c = *s->at++;
    if (c == 'u')
        return scan_unicode_escape(s, nul, lone);
    const char *found = c != '\0' ? strchr(escapes, c) : NULL;
    if (found == NULL)
        return scan_broken(s, "a backslash must be followed by one of \" \\ / b f n r t u");
    buf_addc(&s->string, values[found - escapes]);
    return true;
}

/* The rest of a string, after its opening quote; decoded into s->string. nul, lone: as above. */
static bool scan_string(struct scan *s, bool *nul, bool *lone)
{
    *nul = *lone = false;
    buf_clear(&s->string);
    while (s->at < s->end) {
        unsigned char c = (unsigned char)*s->at;
        if (c == '"') {
            s->at++;
            return true;
        }
        if (c < 0x20)
            return scan_broken(s, c == 0 ? "the byte NUL is not allowed" : "a control character must be escaped");
        if (c == '\\') {
            s->at++;
            if (!scan_escape(s, nul, lone))
                return false;
            continue;
        }
        size_t n = utf8_sequence(s->at, (size_t)(s->end - s->at));
        if (n == 0)
            return scan_broken(s, "the text is not valid UTF-8");
        buf_add(&s->string, s->at, n);
        s->at += n;
    }
    return scan_broken(s, "a string is not closed");
}

/* Returns whether to go on. */
static bool report_string(struct scan *s, bool nul, bool lone)
{
    return (!nul || scan_fault(s, "must not contain the character NUL")) &&
           (!lone || scan_fault(s, "must not contain half of a surrogate pair"));
}

static bool scan_memory(struct scan *s, const struct json_object *value)
{
    return value != NULL || scan_broken(s, "the server has no memory for this");
}

static size_t digits(struct scan *s)
{
    size_t n = 0;
    for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++)
        n++;
    return n;
}

static bool scan_number(struct scan *s, struct json_object **out)
{
    const char *start = s->at;
    if (*s->at == '-')
        s->at++;
    bool zero = s->at < s->end && *s->at == '0';
    size_t n = digits(s);
    if (n == 0 || (zero && n > 1))
        return scan_broken(s, "this is not a number");
    if (s->at < s->end && *s->at == '.') {
        s->at++;
        if (digits(s) == 0)
            return scan_broken(s, "digits must follow the decimal point");
    }
    if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
        s->at++;
        if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
            s->at++;
        if (digits(s) == 0)
            return scan_broken(s, "digits must follow the exponent");
    }
    /* Its spelling goes with it: no type of C holds every number that JSON can write. */
    buf_clear(&s->string);
    buf_add(&s->string, start, (size_t)(s->at - start));
    *out = json_object_new_double_s(strtod(buf_text(&s->string), NULL), buf_text(&s->string));
    return scan_memory(s, *out);
}

static bool scan_literal(struct scan *s, struct json_object **out)
{
    static const char *const literals[] = {"null", "true", "false"};
    for (size_t i = 0; i < 3; i++) {
        size_t n = strlen(literals[i]);
        if ((size_t)(s->end - s->at) >= n && memcmp(s->at, literals[i], n) == 0) {
            s->at += n;
            if (i == 0)
                return true;
            *out = json_object_new_boolean(i == 1);
            return scan_memory(s, *out);
        }
    }
    return scan_broken(s, s->at >= s->end ? "the text ends too early" : "a value was expected here");
}

static bool scan_value(struct scan *s, struct json_object **out);

static void path_cut(struct scan *s, size_t len)
{
    s->path.len = len;
    if (s->path.data != NULL)
        s->path.data[len] = '\0';
}

static void path_add_key(struct scan *s)
{
    size_t n = s->string.len;
    if (s->path.len > 0)
        buf_addc(&s->path, '.');
    if (n > JSON_READ_KEY_SHOWN) {
        n = JSON_READ_KEY_SHOWN;
        while (n > 0 && (s->string.data[n] & 0xc0) == 0x80) /* never half a character */
            n--;
    }
    buf_add(&s->path, s->string.data, n);
    if (n < s->string.len)
        buf_adds(&s->path, "…");
}

/* One member of an object, from its key on. */
static bool scan_member(struct scan *s, struct json_object *object)
{
    bool nul, lone;
    if (!take(s, '"'))
        return scan_broken(s, "a key in double quotes was expected here");
    if (!scan_string(s, &nul, &lone))
        return false;
    size_t outer = s->path.len;
    path_add_key(s);
    if (!report_string(s, nul, lone))
        return false;
    if (json_object_object_get_ex(object, buf_text(&s->string), NULL)) {
        if (!scan_fault(s, "this key stands here more than once"))
            return false;
    } else if (json_object_object_add(object, buf_text(&s->string), NULL) != 0) {
        return scan_memory(s, NULL);
    }
    if (!take(s, ':'))
        return scan_broken(s, "a colon was expected here");
    char *key = strdup(buf_text(&s->string)); /* its place in s->string is the value's now */
    struct json_object *value = NULL;
    bool ok = scan_value(s, &value);
    if (ok && (key == NULL || json_object_object_add(object, key, value) != 0))
        ok = scan_memory(s, NULL);
    if (ok)
        path_cut(s, outer);
    if (!ok)
        json_object_put(value);
    free(key);
    return ok;
}

static bool scan_object(struct scan *s, struct json_object *object)
{
    if (take(s, '}'))
        return true;
    while (scan_member(s, object)) {
        if (take(s, '}'))
            return true;
        if (!take(s, ','))
            return scan_broken(s, "a comma or a closing brace was expected here");
    }
    return false;
}

static bool scan_array(struct scan *s, struct json_object *array)
{
    if (take(s, ']'))
        return true;
    for (size_t i = 0;; i++) {
        struct json_object *value = NULL;
        size_t outer = s->path.len;
        buf_addf(&s->path, "[%zu]", i);
        bool ok = scan_value(s, &value);
        if (ok && json_object_array_add(array, value) != 0)
            ok = scan_memory(s, NULL);
        if (!ok) {
            json_object_put(value);
            return false;
        }
        path_cut(s, outer);
        if (take(s, ']'))
            return true;
        if (!take(s, ','))
            return scan_broken(s, "a comma or a closing bracket was expected here");
    }
}

/* Sets *out, which is NULL before, to the value; the caller puts it also when false is returned. */
static bool scan_value(struct scan *s, struct json_object **out)
{
    skip_blanks(s);
    char c = s->at < s->end ? *s->at : '\0';
    if (++s->values > s->values_max) {
        char what[64];
        snprintf(what, sizeof what, "there are more than %u values up to here", s->values_max);
        return scan_broken(s, what);
    }
    if (c == '{' || c == '[') {
        if (s->depth == JSON_READ_DEPTH_MAX)
            return scan_broken(s, "objects and arrays are nested too deep");
        *out = c == '{' ? json_object_new_object() : json_object_new_array();
        if (!scan_memory(s, *out))
            return false;
        s->depth++;
        s->at++;
        bool ok = c == '{' ? scan_object(s, *out) : scan_array(s, *out);
        s->depth--;
        return ok;
    }
    if (c == '"') {
        bool nul, lone;
        s->at++;
        if (!scan_string(s, &nul, &lone) || !report_string(s, nul, lone))
            return false;
        *out = json_object_new_string_len(buf_text(&s->string), (int)s->string.len);
        return scan_memory(s, *out);
    }
    if (c == '-' || (c >= '0' && c <= '9'))
        return scan_number(s, out);
    return scan_literal(s, out);
}

int json_read(const char *text, size_t len, unsigned values_max, json_read_fault *fault, void *context,
              struct json_object **out)
{
    struct scan s = {.text = text, .at = text, .end = text + len, .fault = fault, .context = context, .values_max = values_max};
    *out = NULL;
    if (scan_value(&s, out)) {
        skip_blanks(&s);
        if (s.at < s.end)
            scan_broken(&s, *s.at == '\0' ? "the byte NUL is not allowed" : "the text goes on after its value");
        else if (s.path.failed || s.string.failed)
            scan_memory(&s, NULL);
    }
    buf_free(&s.path);
    buf_free(&s.string);
    if (s.faults > 0) {
        json_object_put(*out);
        *out = NULL;
    }
    return s.faults;
}
