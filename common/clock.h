/* Time: the wall clock for what people read, the monotonic one for waiting. */
#ifndef SKYLARK_COMMON_CLOCK_H
#define SKYLARK_COMMON_CLOCK_H

#include <stdint.h>

#define CLOCK_ISO_SIZE 32

/* Milliseconds of a clock that never jumps; only differences mean anything. */
int64_t clock_monotonic_ms(void);

/* Nanoseconds since 1970-01-01 UTC. */
int64_t clock_wall_ns(void);

/* Writes 2015-04-14T09:46:39.457Z into out (CLOCK_ISO_SIZE bytes). ns: since 1970. */
void clock_format_iso(int64_t ns, char *out);

/* The same with microseconds: 2015-04-14T09:46:39.457123Z. us: since 1970. */
void clock_format_iso_us(int64_t us, char *out);

/* Parses an RFC 3339 time with up to nine decimals and any offset (2015-04-14T09:46:39.123456789Z,
 * …+08:00) into nanoseconds since 1970. Returns 0, or -1 when it is no such time or out of the range
 * of int64_t. len: bytes of s to read; all must belong to the time. */
int clock_parse_rfc3339(const char *s, unsigned long len, int64_t *ns) __attribute__((warn_unused_result));

#endif
