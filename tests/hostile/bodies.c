/* Values that are built to be expensive. */
#include <stdio.h>
#include <string.h>

#include "tests/hostile/hostile.h"

const char *const filling_names[FILL__MAX] = {
    [FILL_STRING] = "a long string", [FILL_ESCAPES] = "escapes", [FILL_WIDE] = "wide characters", [FILL_NUMBER] = "a long number",
    [FILL_EXPONENT] = "a long exponent", [FILL_DEEP_ARRAYS] = "deep arrays", [FILL_DEEP_OBJECTS] = "deep objects",
    [FILL_EMPTY_OBJECTS] = "empty objects", [FILL_NUMBERS] = "many numbers", [FILL_LONG_KEY] = "a long key", [FILL_LONG_KEYS] = "long keys",
    [FILL_MANY_KEYS] = "many keys", [FILL_EQUAL_KEYS] = "equal keys", [FILL_SURROGATES] = "half surrogate pairs",
    [FILL_TEXT_KEYS] = "a text of many keys", [FILL_TEXT_DEEP] = "a text of deep arrays", [FILL_BLANKS] = "blanks",
};

/* Adds a text again and again while all of it fits into room bytes; with a separator between. */
static void repeat(struct buf *out, const char *text, const char *separator, size_t room)
{
    size_t n = strlen(text) + strlen(separator);
    for (size_t used = n; used <= room; used += n) {
        if (used > n)
            buf_adds(out, separator);
        buf_adds(out, text);
    }
}

static void enclose(struct buf *out, const char *open, const char *text, const char *separator, const char *close, size_t room)
{
    buf_adds(out, open);
    repeat(out, text, separator, room - strlen(open) - strlen(close));
    buf_adds(out, close);
}

static void fill_long_key(struct buf *out, size_t room)
{
    enum { DUPLICATES = 102 };
    buf_adds(out, "{\"");
    repeat(out, "k", "", room - 32 - DUPLICATES * 6);
    buf_adds(out, "\":{");
    repeat(out, "\"a\":0", ",", DUPLICATES * 6);
    buf_adds(out, "}}");
}

static void fill_keys(struct buf *out, size_t room, size_t n_most, size_t key_size)
{
    size_t end = out->len + room - 16 - key_size;
    buf_addc(out, '{');
    for (size_t i = 0; i < n_most && out->len < end; i++)
        buf_addf(out, "%s\"%0*zu\":0", i > 0 ? "," : "", (int)key_size, i);
    buf_addc(out, '}');
}

static void fill_text_keys(struct buf *out, size_t room)
{
    size_t end = out->len + room - 32;
    buf_adds(out, "\"{");
    for (size_t i = 0; out->len < end; i++)
        buf_addf(out, "%s\\\"%zu\\\":0", i > 0 ? "," : "", i);
    buf_adds(out, "}\"");
}

void fill(struct buf *out, enum filling filling, size_t room)
{
    switch (filling) {
    case FILL_STRING:
        enclose(out, "\"", "a", "", "\"", room);
        break;
    case FILL_ESCAPES:
        enclose(out, "\"", "\\u001f", "", "\"", room);
        break;
    case FILL_WIDE:
        enclose(out, "\"", "\xf0\x9f\x98\x80", "", "\"", room);
        break;
    case FILL_NUMBER:
        enclose(out, "1", "0", "", "", room);
        break;
    case FILL_EXPONENT:
        enclose(out, "1e", "9", "", "", room);
        break;
    case FILL_DEEP_ARRAYS:
        repeat(out, "[", "", room / 2);
        repeat(out, "]", "", room / 2);
        break;
    case FILL_DEEP_OBJECTS:
        repeat(out, "{\"a\":", "", room / 6 * 5 - 5);
        buf_addc(out, '0');
        repeat(out, "}", "", room / 6 - 1);
        break;
    case FILL_EMPTY_OBJECTS:
        enclose(out, "[", "{}", ",", "]", room);
        break;
    case FILL_NUMBERS:
        enclose(out, "[", "0", ",", "]", room);
        break;
    case FILL_LONG_KEY:
        fill_long_key(out, room);
        break;
    case FILL_LONG_KEYS:
        fill_keys(out, room, 150, room / 160);
        break;
    case FILL_MANY_KEYS:
        fill_keys(out, room, room, 1);
        break;
    case FILL_EQUAL_KEYS:
        enclose(out, "{", "\"a\":0", ",", "}", room);
        break;
    case FILL_SURROGATES:
        enclose(out, "[", "\"\\ud800\"", ",", "]", room);
        break;
    case FILL_TEXT_KEYS:
        fill_text_keys(out, room);
        break;
    case FILL_TEXT_DEEP:
        enclose(out, "\"", "[", "", "\"", room);
        break;
    case FILL_BLANKS:
        repeat(out, " ", "", room - 4);
        buf_adds(out, "null");
        break;
    case FILL__MAX:
        break;
    }
}

void hostile_path(struct buf *out, const struct route *route, const char *name)
{
    static const char *const captured[][2] = {
        {"{namespace}", SPACE}, {"{name}", SERVICE}, {"{uuid}", "00000000-0000-4000-8000-000000000000"}};
    for (const char *at = route->pattern; *at != '\0';) {
        const char *value = NULL;
        for (size_t i = 0; i < sizeof captured / sizeof captured[0] && value == NULL; i++) {
            if (strncmp(at, captured[i][0], strlen(captured[i][0])) != 0)
                continue;
            value = name != NULL ? name : captured[i][1];
            at += strlen(captured[i][0]);
        }
        if (value != NULL)
            buf_adds(out, value);
        else if (*at == '{') { /* what other routes capture */
            buf_adds(out, name != NULL ? name : "1");
            at += strcspn(at, "}") + 1;
        } else
            buf_addc(out, *at++);
    }
    buf_addc(out, '/');
}
