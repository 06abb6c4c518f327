/* Exactly once: which rows of a log that is read again are stored already. Pure.
 *
 * A position names, for each of the two streams, the engine's time of the last stored row and how many stored rows bear
 * exactly that time. Within a stream the engine writes in the order of its times; between the two it may not, by as much
 * as its two writers run apart. So a log is read again from a little before the later of the two positions, and each
 * stream passes over what it has until it meets the first row beyond its position.
 *
 * Limits: what the engine threw away (its own log files are bounded) before it was read is lost; and should the engine's
 * clock be set back, lines of that stretch may be taken for stored ones, or be stored twice, if the log is read again from
 * there. */
#ifndef SKYLARK_COLLECTOR_RESUME_H
#define SKYLARK_COLLECTOR_RESUME_H

#include <stdbool.h>
#include <stdint.h>

#define RESUME_OVERLAP_NS INT64_C(2000000000)
#define RESUME_STREAMS 2

struct resume_stream {
    int64_t at_ns; /* 0: nothing stored */
    int64_t rows_at;
    bool skipping; /* not beyond the position yet */
    int64_t seen_at; /* rows with exactly at_ns met while skipping */
};

struct resume {
    struct resume_stream streams[RESUME_STREAMS]; /* [0]: stream 1, standard output */
    int64_t open_ns; /* engine's time of the oldest line that has begun and not ended; 0: none. It is read again whole, however
                      * long ago it began. */
};

/* Sets the positions from which a log is read again; both streams skip. */
void resume_start(struct resume *r);

/* From when on to read, in nanoseconds since 1970; 0: from the start. */
int64_t resume_since(const struct resume *r);

/* Whether a row of stream 1 or 2 is new; moves the position if it is. */
bool resume_take(struct resume *r, int stream, int64_t at_ns);

#endif
