/* One form of blanks for all JSON that goes out. */
#include "fcgi/json_space.h"

#include <string.h>

/* Bytes of a string up to its end or the next backslash. */
static size_t plain_run(const char *text, size_t most)
{
    size_t n = 0;
    while (n < most && text[n] != '"' && text[n] != '\\')
        n++;
    return n;
}

size_t json_space(struct json_space *state, const char **text, const char *end, char *out, size_t room)
{
    const char *at = *text;
    size_t n = 0;
    while (at < end && n + 2 <= room) {
        if (state->in_string && !state->escaped) {
            size_t left = (size_t)(end - at), most = left < room - n ? left : room - n, run = plain_run(at, most);
            if (run > 0) {
                memcpy(out + n, at, run);
                n += run;
                at += run;
                continue;
            }
        }
        char c = *at++;
        if (state->in_string) {
            state->in_string = state->escaped || c != '"';
            state->escaped = !state->escaped && c == '\\';
        } else if (c == ' ' || c == '\t' || c == '\r') {
            continue;
        } else {
            if (state->separated && c != '\n')
                out[n++] = ' ';
            state->separated = c == ':' || c == ',';
            state->in_string = c == '"';
        }
        out[n++] = c;
    }
    *text = at;
    return n;
}

size_t json_space_size(const char *text, size_t len)
{
    struct json_space state = {0};
    const char *end = text + len;
    char piece[4096];
    size_t n = 0;
    while (text < end)
        n += json_space(&state, &text, end, piece, sizeof piece);
    return n;
}
