/* Name=value pairs: query strings, urlencoded and multipart bodies. */
#include "fcgi/form.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/utf8.h"

#define BOUNDARY_MAX 70 /* RFC 2046 */

void form_free(struct form *form)
{
    for (size_t i = 0; i < form->n; i++) {
        free(form->fields[i].name);
        free(form->fields[i].value);
    }
    form->n = 0;
}

const char *form_get(const struct form *form, const char *name)
{
    for (size_t i = 0; i < form->n; i++) {
        if (strcmp(form->fields[i].name, name) == 0)
            return form->fields[i].value;
    }
    return NULL;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

char *form_decode(const char *text, size_t len, bool plus)
{
    char *out = malloc(len + 1);
    size_t n = 0;
    for (size_t i = 0; out != NULL && i < len; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < len ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < len ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0) {
                free(out);
                return NULL;
            }
            c = (char)(high << 4 | low);
            i += 2;
        } else if (plus && c == '+') {
            c = ' ';
        }
        out[n++] = c;
    }
    if (out == NULL)
        return NULL;
    out[n] = '\0';
    if (memchr(out, '\0', n) != NULL || !utf8_valid(out, n)) {
        free(out);
        return NULL;
    }
    return out;
}

/* Takes both strings over, also on failure. */
static int form_add(struct form *form, char *name, char *value, const char **fault)
{
    if (name == NULL || value == NULL)
        *fault = "a field is not valid percent-encoded UTF-8 text";
    else if (form->n == FORM_FIELDS_MAX)
        *fault = "there are too many fields";
    else if (form_get(form, name) != NULL)
        *fault = "a field stands more than once";
    else {
        form->fields[form->n++] = (struct form_field){name, value};
        return 0;
    }
    free(name);
    free(value);
    return -1;
}

int form_parse_urlencoded(struct form *form, const char *text, size_t len, const char **fault)
{
    const char *end = text + len;
    while (text < end) {
        const char *amp = memchr(text, '&', (size_t)(end - text));
        if (amp == NULL)
            amp = end;
        const char *equals = memchr(text, '=', (size_t)(amp - text));
        const char *name_end = equals != NULL ? equals : amp;
        const char *value = equals != NULL ? equals + 1 : amp;
        if (amp > text && form_add(form, form_decode(text, (size_t)(name_end - text), true),
                                   form_decode(value, (size_t)(amp - value), true), fault) != 0)
            return -1;
        text = amp + 1;
    }
    return 0;
}

/* Finds `key=value` or `key="value"` among the parameters of a header; copies it out. */
static bool header_parameter(const char *header, size_t len, const char *key, char *out, size_t size)
{
    size_t key_len = strlen(key);
    const char *end = header + len;
    for (const char *p = memchr(header, ';', len); p != NULL; p = memchr(p, ';', (size_t)(end - p))) {
        for (p++; p < end && (*p == ' ' || *p == '\t'); p++)
            ;
        if ((size_t)(end - p) <= key_len || strncasecmp(p, key, key_len) != 0 || p[key_len] != '=')
            continue;
        p += key_len + 1;
        bool quoted = p < end && *p == '"';
        p += quoted;
        size_t n = 0;
        while (p < end && (quoted ? *p != '"' : *p != ';' && *p != ' ' && *p != '\t')) {
            if (n + 1 >= size)
                return false;
            out[n++] = *p++;
        }
        out[n] = '\0';
        return n > 0;
    }
    return false;
}

static const char *find(const char *text, size_t len, const char *what, size_t what_len)
{
    return memmem(text, len, what, what_len);
}

/* The name that a part's Content-Disposition gives it. */
static bool part_name(const char *headers, size_t len, char *name, size_t size)
{
    static const char wanted[] = "content-disposition:";
    const char *end = headers + len;
    while (headers < end) {
        const char *line_end = find(headers, (size_t)(end - headers), "\r\n", 2);
        if (line_end == NULL)
            line_end = end;
        size_t n = (size_t)(line_end - headers);
        if (n > sizeof wanted && strncasecmp(headers, wanted, sizeof wanted - 1) == 0)
            return header_parameter(headers, n, "name", name, size);
        headers = line_end + 2;
    }
    return false;
}

/* A part's value: text as it stands. */
static char *part_text(const char *text, size_t len)
{
    if (memchr(text, '\0', len) != NULL || !utf8_valid(text, len))
        return NULL;
    return strndup(text, len);
}

int form_parse_multipart(struct form *form, const char *content_type, const char *body, size_t len,
                         const char **fault)
{
    char mark[2 + 2 + BOUNDARY_MAX + 1] = "\r\n--", name[128];
    if (!header_parameter(content_type, strlen(content_type), "boundary", mark + 4, BOUNDARY_MAX + 1)) {
        *fault = "the Content-Type names no boundary";
        return -1;
    }
    size_t mark_len = strlen(mark);
    const char *end = body + len, *at;
    /* The first boundary has no line end before it when the body begins with it. */
    if (len >= mark_len - 2 && memcmp(body, mark + 2, mark_len - 2) == 0)
        at = body + mark_len - 2;
    else if ((at = find(body, len, mark, mark_len)) != NULL)
        at += mark_len;
    while (at != NULL && !(end - at >= 2 && memcmp(at, "--", 2) == 0)) {
        const char *headers = end - at >= 2 && memcmp(at, "\r\n", 2) == 0 ? at + 2 : NULL;
        const char *blank = headers != NULL ? find(at, (size_t)(end - at), "\r\n\r\n", 4) : NULL;
        const char *value = blank != NULL ? blank + 4 : NULL;
        const char *next = value != NULL ? find(value - 2, (size_t)(end - value) + 2, mark, mark_len) : NULL;
        if (next == NULL || blank < headers - 2) {
            at = NULL;
            break;
        }
        size_t value_len = next > value ? (size_t)(next - value) : 0;
        if (!part_name(headers, blank > headers ? (size_t)(blank - headers) : 0, name, sizeof name)) {
            *fault = "a part has no name";
            return -1;
        }
        if (form_add(form, strdup(name), part_text(value, value_len), fault) != 0)
            return -1;
        at = next + mark_len;
    }
    if (at == NULL) {
        *fault = "the body is no complete multipart/form-data";
        return -1;
    }
    return 0;
}
