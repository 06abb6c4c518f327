/* Puts the engine's pieces together into rows: one a line, and several for a line of more than ASSEMBLE_ROW_MAX bytes. All
 * of those but the last end in ASSEMBLE_CONTINUES, so that a reader sees that the line goes on. Pure; the same pieces
 * always make the same rows, which resuming relies upon. */
#ifndef SKYLARK_COLLECTOR_ASSEMBLE_H
#define SKYLARK_COLLECTOR_ASSEMBLE_H

#include "common/buf.h"
#include "engine/engine.h"

#define ASSEMBLE_ROW_MAX 65536
#define ASSEMBLE_CONTINUES "\xe2\x80\xa6[continues]"

/* Of one stream. Zero-initialised is ready. */
struct assemble {
    struct buf line;
    int64_t at_ns; /* of the line's first piece */
    bool open;     /* a line has begun */
};

/* One row: raw bytes as the instance printed them (not yet mended); continues: the line goes on. */
typedef void assemble_row(void *context, int64_t at_ns, const char *data, size_t len, bool continues);

void assemble_feed(struct assemble *a, const struct engine_log_piece *piece, assemble_row *row, void *context);

/* At the end of the log: a last line without a newline is a line as well. */
void assemble_finish(struct assemble *a, assemble_row *row, void *context);

/* Forgets what is begun. */
void assemble_clear(struct assemble *a);

#endif
