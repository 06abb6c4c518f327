/* Brings JSON into one form of blanks, whoever wrote it: "key": value, and one blank after each comma. Shell clients grep for that;
 * PostgreSQL has two forms of its own, and C writes none. */
#ifndef SKYLARK_FCGI_JSON_SPACE_H
#define SKYLARK_FCGI_JSON_SPACE_H

#include <stdbool.h>
#include <stddef.h>

/* Where in the text it is. Zero-initialised: at the beginning. */
struct json_space {
    bool in_string, escaped, separated;
};

/* Copies well-formed JSON from *text, which is moved on, up to end to out, as much as there is room for (2 bytes at least). Blanks
 * between tokens are left out, line ends stay, and a blank follows each colon and each comma that is not at the end of a line.
 * Strings stay as they are. Call it again, with the same state, until *text is end. Returns how many bytes were written. */
size_t json_space(struct json_space *state, const char **text, const char *end, char *out, size_t room);

/* How many bytes all of the text comes to. */
size_t json_space_size(const char *text, size_t len);

#endif
