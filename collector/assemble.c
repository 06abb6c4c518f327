/* Puts the engine's pieces together into rows. */
#include "collector/assemble.h"

void assemble_clear(struct assemble *a)
{
    buf_free(&a->line);
    a->open = false;
}

/* Where to cut, so that no UTF-8 sequence is torn: at most three bytes before the limit. */
static size_t cut_point(const char *data)
{
    size_t cut = ASSEMBLE_ROW_MAX;
    for (int back = 0; back < 3 && ((unsigned char)data[cut] & 0xc0) == 0x80; back++)
        cut--;
    /* Bytes that are no UTF-8 at all are cut anywhere. */
    return ((unsigned char)data[cut] & 0xc0) == 0x80 ? ASSEMBLE_ROW_MAX : cut;
}

static void line_end(struct assemble *a, assemble_row *row, void *context)
{
    row(context, a->at_ns, buf_text(&a->line), a->line.len, false);
    buf_clear(&a->line);
    a->open = false;
}

void assemble_feed(struct assemble *a, const struct engine_log_piece *piece, assemble_row *row, void *context)
{
    if (!a->open) {
        a->open = true;
        a->at_ns = piece->at_ns;
        if (piece->ends_line && piece->len <= ASSEMBLE_ROW_MAX) { /* nearly all: a whole line in one piece */
            row(context, piece->at_ns, piece->data, piece->len, false);
            a->open = false;
            return;
        }
    }
    buf_add(&a->line, piece->data, piece->len);
    while (a->line.len > ASSEMBLE_ROW_MAX) {
        size_t cut = cut_point(a->line.data);
        row(context, a->at_ns, a->line.data, cut, true);
        buf_consume(&a->line, cut);
    }
    if (piece->ends_line)
        line_end(a, row, context);
}

void assemble_finish(struct assemble *a, assemble_row *row, void *context)
{
    if (a->open)
        line_end(a, row, context);
}
