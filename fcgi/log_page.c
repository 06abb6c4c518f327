/* One answer of log lines. */
#include "fcgi/log_page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

#define US_PER_SECOND INT64_C(1000000)

static void add_line(struct buf *out, const struct log_position *at, const char *message, size_t len)
{
    char uuid[37], time[CLOCK_ISO_SIZE];
    int64_t second = at->us / US_PER_SECOND - (at->us % US_PER_SECOND < 0);
    uuid_unparse_lower(at->instance, uuid);
    clock_format_iso_us(at->us, time);
    /* Two bytes in front of each line, which log_page_finish makes the array's beginning of. */
    buf_addf(out, ",\n{\"instance_id\": \"%.8s\", \"message\": ", uuid);
    buf_add_json(out, message, len);
    buf_addf(out, ", \"time\": %" PRId64 ", \"logged_at\": \"%s\"}", second, time);
}

/* Keeps the length of the line that was added last. */
static void keep_length(struct log_page *p, size_t length)
{
    if ((size_t)p->n == p->lengths_cap) {
        size_t cap = p->lengths_cap > 0 ? p->lengths_cap * 2 : 256;
        uint32_t *grown = realloc(p->lengths, cap * sizeof *grown);
        if (grown == NULL) {
            p->out->failed = true;
            return;
        }
        p->lengths = grown;
        p->lengths_cap = cap;
    }
    p->lengths[p->n] = (uint32_t)length;
}

bool log_page_add(struct log_page *p, const struct log_position *at, const char *message, size_t len)
{
    size_t before = p->out->len;
    if (p->n >= p->lines_max) {
        p->more = true;
        return false;
    }
    add_line(p->out, at, message, len);
    if (p->n > 0 && p->out->len > LOG_PAGE_BYTES) {
        p->out->len = before;
        p->more = true;
        return false;
    }
    if (p->newest_first) {
        keep_length(p, p->out->len - before);
        if (p->out->failed)
            return false;
    }
    p->n++;
    log_cursor_pass(p->cursor, at);
    return true;
}

static void reverse(char *bytes, size_t len)
{
    for (size_t i = 0; i < len / 2; i++) {
        char c = bytes[i];
        bytes[i] = bytes[len - 1 - i];
        bytes[len - 1 - i] = c;
    }
}

void log_page_finish(struct log_page *p)
{
    if (p->newest_first && !p->out->failed) {
        /* The whole backwards, then each line forwards again: in place. */
        size_t at = 0;
        reverse(p->out->data, p->out->len);
        for (int64_t i = p->n; i-- > 0;) {
            reverse(p->out->data + at, p->lengths[i]);
            at += p->lengths[i];
        }
    }
    if (p->n > 0 && !p->out->failed)
        memcpy(p->out->data, "[\n", 2);
    else
        buf_addc(p->out, '[');
    buf_addc(p->out, ']');
    free(p->lengths);
    p->lengths = NULL;
}
