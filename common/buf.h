/* A growable string: what replies, log lines and rendered files are put together in. */
#ifndef SKYLARK_COMMON_BUF_H
#define SKYLARK_COMMON_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Zero-initialised is empty and ready. data is NUL-terminated once anything was added, and NULL
 * before; len does not count that NUL, and data may hold others. */
struct buf {
    char *data;
    size_t len;
    size_t cap;
    bool failed; /* memory ran out: what was added since is missing; check once, at the end */
};

void buf_free(struct buf *b);  /* frees and empties; accepts an empty one */
void buf_clear(struct buf *b); /* empties, keeps the memory */
void buf_add(struct buf *b, const void *data, size_t len);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* Adds s as a JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD. */
void buf_add_json(struct buf *b, const char *s, size_t len);

/* Drops the first n bytes (n <= len). */
void buf_consume(struct buf *b, size_t n);

/* The text; "" when nothing was added. Valid until the next change. */
const char *buf_text(const struct buf *b);

#endif
