/* Where a reader of log lines stands: what the next page must hold, and what it must not hold again. Pure.
 *
 * Pages are in the order of (time, instance, number), so a position in that order says where the next page begins. But lines
 * are stored in another order: a collector that was away for some seconds stores lines whose times have passed. So
 * a cursor has two more parts:
 *   floor    A line whose time is before it counts as read. At and after it, lines up to the position may still be missing.
 *   seen     For each instance with lines since the floor: the number that follows its last line that was read. The lines
 *            of one instance are stored in the order of their numbers, so a line up to the position was read exactly
 *            when its number is lower.
 * Thus a line comes in some page, once, if it is stored within LOG_CURSOR_LOOKBACK_US of its time. A line that is stored
 * later than that may be missed by who follows, and is there for who asks for its time. */
#ifndef SKYLARK_FCGI_LOG_CURSOR_H
#define SKYLARK_FCGI_LOG_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uuid/uuid.h>

#include "common/buf.h"

/* Pages that follow read the lines of this span again, and leave out what was seen. */
#define LOG_CURSOR_LOOKBACK_US INT64_C(30000000)
/* Instances that are remembered. Each is 32 bytes of the cursor, so its text has 2,804 at most. When more instances than
 * that have lines since the floor, the floor rises. */
#define LOG_CURSOR_SEEN_MAX 64
/* The year 2262, as far as times go here. */
#define LOG_CURSOR_US_MAX (INT64_C(9223372036) * 1000000)

struct log_position {
    int64_t us; /* since 1970 */
    uuid_t instance;
    int64_t seq;
};

struct log_seen {
    uuid_t instance;
    int64_t next_seq;
    int64_t last_us; /* time of its latest line that was read */
};

struct log_cursor {
    struct log_position last;
    int64_t floor_us;
    size_t n_seen;
    struct log_seen seen[LOG_CURSOR_SEEN_MAX];
};

/* Stands before the first line of start_us. */
void log_cursor_start(struct log_cursor *c, int64_t start_us);

/* Notes one line of the page. Any order will do. */
void log_cursor_pass(struct log_cursor *c, const struct log_position *line);

/* Lines before floor_us that were not in the page are not wanted any more, nor are those before the floor that is set already. */
void log_cursor_raise(struct log_cursor *c, int64_t floor_us);

/* At the end of a page: sets how far back the next page looks. more: further lines were there already, so the page after
 * it does not follow what is being stored unless its lines are young. */
void log_cursor_settle(struct log_cursor *c, int64_t now_us, bool more);

/* Adds the text of the cursor, which consists of letters, digits, - and _. */
void log_cursor_encode(const struct log_cursor *c, struct buf *out);

/* Reads what log_cursor_encode wrote. Returns false for anything else. */
bool log_cursor_decode(struct log_cursor *c, const char *text) __attribute__((warn_unused_result));

/* Adds what was seen as a JSON object: the uuid of each instance with its next number. */
void log_cursor_add_seen(const struct log_cursor *c, struct buf *out);

#endif
