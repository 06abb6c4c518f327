/* Where a reader of log lines stands. */
#include "fcgi/log_cursor.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#define VERSION 1
/* version; position: time, instance, number; floor. Numbers are big-endian. */
#define HEAD_BYTES (1 + 8 + 16 + 8 + 8)
#define SEEN_BYTES (16 + 8 + 8)
#define BYTES_MAX (HEAD_BYTES + LOG_CURSOR_SEEN_MAX * SEEN_BYTES)

static int position_compare(const struct log_position *a, const struct log_position *b)
{
    if (a->us != b->us)
        return a->us < b->us ? -1 : 1;
    int order = memcmp(a->instance, b->instance, sizeof a->instance);
    if (order != 0)
        return order;
    return a->seq < b->seq ? -1 : a->seq > b->seq;
}

void log_cursor_start(struct log_cursor *c, int64_t start_us)
{
    *c = (struct log_cursor){.last = {.us = start_us - 1, .seq = INT64_MAX}, .floor_us = start_us};
    memset(c->last.instance, 0xff, sizeof c->last.instance);
}

/* The instance with the oldest latest line goes; its lines count as read from then on. */
static struct log_seen *seen_evict(struct log_cursor *c)
{
    struct log_seen *oldest = &c->seen[0];
    for (size_t i = 1; i < c->n_seen; i++) {
        if (c->seen[i].last_us < oldest->last_us)
            oldest = &c->seen[i];
    }
    log_cursor_raise(c, oldest->last_us + 1);
    return oldest;
}

void log_cursor_pass(struct log_cursor *c, const struct log_position *line)
{
    struct log_seen *s = NULL;
    if (position_compare(line, &c->last) > 0)
        c->last = *line;
    for (size_t i = 0; i < c->n_seen && s == NULL; i++) {
        if (uuid_compare(c->seen[i].instance, line->instance) == 0)
            s = &c->seen[i];
    }
    if (s == NULL) {
        s = c->n_seen < LOG_CURSOR_SEEN_MAX ? &c->seen[c->n_seen++] : seen_evict(c);
        *s = (struct log_seen){.last_us = INT64_MIN};
        uuid_copy(s->instance, line->instance);
    }
    if (line->seq >= s->next_seq)
        s->next_seq = line->seq + 1;
    if (line->us > s->last_us)
        s->last_us = line->us;
}

void log_cursor_raise(struct log_cursor *c, int64_t floor_us)
{
    if (floor_us > c->floor_us)
        c->floor_us = floor_us;
}

void log_cursor_settle(struct log_cursor *c, int64_t now_us, bool more)
{
    int64_t young = now_us - LOG_CURSOR_LOOKBACK_US;
    if (more && c->last.us < young)
        log_cursor_raise(c, c->last.us); /* history: nothing is stored there any more */
    else
        log_cursor_raise(c, (c->last.us < now_us ? c->last.us : now_us) - LOG_CURSOR_LOOKBACK_US);
    size_t kept = 0;
    for (size_t i = 0; i < c->n_seen; i++) {
        if (c->seen[i].last_us >= c->floor_us)
            c->seen[kept++] = c->seen[i];
    }
    c->n_seen = kept;
}

static unsigned char *put_number(unsigned char *at, int64_t number)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        *at++ = (unsigned char)((uint64_t)number >> shift);
    return at;
}

static int64_t take_number(const unsigned char **at)
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | *(*at)++;
    return (int64_t)number;
}

void log_cursor_encode(const struct log_cursor *c, struct buf *out)
{
    unsigned char bytes[BYTES_MAX], *at = bytes;
    char text[sodium_base64_ENCODED_LEN(BYTES_MAX, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
    *at++ = VERSION;
    at = put_number(at, c->last.us);
    memcpy(at, c->last.instance, 16);
    at = put_number(at + 16, c->last.seq);
    at = put_number(at, c->floor_us);
    for (size_t i = 0; i < c->n_seen; i++) {
        memcpy(at, c->seen[i].instance, 16);
        at = put_number(at + 16, c->seen[i].next_seq);
        at = put_number(at, c->seen[i].last_us);
    }
    sodium_bin2base64(text, sizeof text, bytes, (size_t)(at - bytes), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    buf_adds(out, text);
}

bool log_cursor_decode(struct log_cursor *c, const char *text)
{
    unsigned char bytes[BYTES_MAX];
    const unsigned char *at = bytes;
    size_t n = 0;
    *c = (struct log_cursor){0};
    if (sodium_base642bin(bytes, sizeof bytes, text, strlen(text), NULL, &n, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        n < HEAD_BYTES || (n - HEAD_BYTES) % SEEN_BYTES != 0 || *at++ != VERSION)
        return false;
    c->last.us = take_number(&at);
    memcpy(c->last.instance, at, 16);
    at += 16;
    c->last.seq = take_number(&at);
    c->floor_us = take_number(&at);
    c->n_seen = (n - HEAD_BYTES) / SEEN_BYTES;
    bool good = c->last.us >= -1 && c->last.us <= LOG_CURSOR_US_MAX && c->last.seq >= 0 && c->floor_us <= LOG_CURSOR_US_MAX &&
                c->floor_us >= -LOG_CURSOR_LOOKBACK_US - 1;
    for (size_t i = 0; i < c->n_seen; i++) {
        memcpy(c->seen[i].instance, at, 16);
        at += 16;
        c->seen[i].next_seq = take_number(&at);
        c->seen[i].last_us = take_number(&at);
        good = good && c->seen[i].next_seq > 0 && c->seen[i].last_us <= LOG_CURSOR_US_MAX;
    }
    return good;
}

void log_cursor_add_seen(const struct log_cursor *c, struct buf *out)
{
    buf_addc(out, '{');
    for (size_t i = 0; i < c->n_seen; i++) {
        char uuid[37];
        uuid_unparse_lower(c->seen[i].instance, uuid);
        buf_addf(out, "%s\"%s\": %" PRId64, i > 0 ? ", " : "", uuid, c->seen[i].next_seq);
    }
    buf_addc(out, '}');
}
