/* One answer of log lines as it is put together: bounded, in order, with the cursor after it. Pure. */
#ifndef SKYLARK_FCGI_LOG_PAGE_H
#define SKYLARK_FCGI_LOG_PAGE_H

#include "common/buf.h"
#include "fcgi/log_cursor.h"

/* Of the lines of one answer, as JSON. nginx takes an answer of this size off the worker at once, however slow its client is
 * (fastcgi_max_temp_file_size in nginx/skylark-api.conf is twice that). */
#define LOG_PAGE_BYTES ((size_t)8 << 20)
/* More than fit into LOG_PAGE_BYTES, whatever is in them. */
#define LOG_PAGE_LINES 100000

struct log_page {
    struct buf *out;
    struct log_cursor *cursor; /* moves with each line that is added */
    int64_t lines_max;
    bool newest_first; /* lines come so; the answer is oldest first all the same */
    int64_t n;
    bool more; /* there is at least one line beyond the page */
    uint32_t *lengths; /* of the lines in out, when newest_first */
    size_t lengths_cap;
};

/* Adds a line. Returns false, and leaves it out, when the page is full. */
bool log_page_add(struct log_page *p, const struct log_position *at, const char *message, size_t len);

/* Ends the page: out is a JSON array then. */
void log_page_finish(struct log_page *p);

#endif
