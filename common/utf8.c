/* UTF-8: checking it, and mending what is not. */
#include "common/utf8.h"

#include "common/buf.h"

size_t utf8_sequence(const char *s, size_t len)
{
    if (len == 0)
        return 0;
    const unsigned char *p = (const unsigned char *)s;
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xc2 && p[0] <= 0xdf ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : 0;
    if (n == 0 || len < n)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    /* Overlong forms, surrogates and what lies above U+10FFFF show in the second byte. */
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

bool utf8_valid(const char *s, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t n = utf8_sequence(s + i, len - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

void utf8_add_storable(struct buf *b, const char *s, size_t len)
{
    size_t start = 0, i = 0;
    while (i < len) {
        size_t n = utf8_sequence(s + i, len - i);
        if (n > 0 && s[i] != '\0') {
            i += n;
            continue;
        }
        buf_add(b, s + start, i - start);
        buf_adds(b, n == 0 ? "\xef\xbf\xbd" : "\xe2\x90\x80");
        start = ++i;
    }
    buf_add(b, s + start, len - start);
}
