/* UTF-8: checking it, and mending what is not. */
#ifndef SKYLARK_COMMON_UTF8_H
#define SKYLARK_COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* Bytes (1 to 4) of the well-formed sequence at s, or 0 when there is none: no overlong forms, no
 * surrogates, nothing above U+10FFFF, nothing cut off. */
size_t utf8_sequence(const char *s, size_t len);

bool utf8_valid(const char *s, size_t len);

/* Adds s so that PostgreSQL can store it: each byte that belongs to no sequence becomes U+FFFD, NUL
 * becomes U+2400 (the picture of NUL). */
void utf8_add_storable(struct buf *b, const char *s, size_t len);

#endif
