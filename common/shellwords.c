/* Splits a command into words as a POSIX shell would quote. */
#include "common/shellwords.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

struct words {
    char **items;
    size_t n;
};

void shellwords_free(char **words)
{
    for (size_t i = 0; words != NULL && words[i] != NULL; i++)
        free(words[i]);
    free(words);
}

static bool words_add(struct words *w, const struct buf *word)
{
    char **items = realloc(w->items, (w->n + 2) * sizeof *items);
    if (items == NULL)
        return false;
    w->items = items;
    items[w->n] = strdup(buf_text(word));
    items[w->n + 1] = NULL;
    return items[w->n] != NULL && ++w->n > 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Reads a quoted stretch; *at stands behind its opening quote and is left behind the closing one. */
static const char *read_quoted(const char **at, char quote, struct buf *word)
{
    const char *p = *at;
    for (; *p != '\0' && *p != quote; p++) {
        if (quote == '"' && *p == '\\') {
            if (p[1] == '\n') { /* a continued line */
                p++;
                continue;
            }
            if (p[1] != '\0' && strchr("$`\"\\", p[1]) != NULL)
                p++;
        }
        buf_addc(word, *p);
    }
    if (*p == '\0')
        return quote == '"' ? "has a double quote that is not closed" : "has a single quote that is not closed";
    *at = p + 1;
    return NULL;
}

/* Reads one word; *at stands at its first character and is left behind it. */
static const char *read_word(const char **at, struct buf *word)
{
    const char *p = *at, *fault = NULL;
    while (*p != '\0' && !is_blank(*p) && fault == NULL) {
        char c = *p++;
        if (c == '\'' || c == '"') {
            fault = read_quoted(&p, c, word);
        } else if (c == '\\' && *p == '\0') {
            fault = "ends in a backslash that quotes nothing";
        } else if (c == '\\') {
            if (*p != '\n')
                buf_addc(word, *p);
            p++;
        } else {
            buf_addc(word, c);
        }
    }
    *at = p;
    return fault;
}

int shellwords_split(const char *text, char ***words, size_t *n, const char **fault)
{
    struct words w = {0};
    struct buf word = {0};
    *words = NULL;
    *fault = NULL;
    w.items = calloc(1, sizeof *w.items);
    if (w.items == NULL)
        *fault = "is too long";
    while (*fault == NULL) {
        while (is_blank(*text))
            text++;
        if (*text == '\0')
            break;
        buf_clear(&word);
        *fault = read_word(&text, &word);
        if (*fault == NULL && (word.failed || !words_add(&w, &word)))
            *fault = "is too long";
    }
    buf_free(&word);
    if (*fault != NULL) {
        shellwords_free(w.items);
        return -1;
    }
    *words = w.items;
    if (n != NULL)
        *n = w.n;
    return 0;
}
