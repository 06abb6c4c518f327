/* Takes the engine's log stream apart. */
#include "engine/docker_log.h"

#include <string.h>

#include "common/clock.h"

#define HEADER_BYTES 8
/* The engine cuts lines at 16 KiB; a frame far beyond that is no frame. */
#define FRAME_MAX (4 << 20)

void docker_log_clear(struct docker_log *log)
{
    buf_free(&log->pending);
}

/* One payload: time, blank, data. */
static int payload_take(int stream, const char *payload, size_t len, const struct engine_log_handler *handler)
{
    const char *blank = memchr(payload, ' ', len < 64 ? len : 64);
    struct engine_log_piece piece = {.stream = stream};
    if (blank == NULL || clock_parse_rfc3339(payload, (unsigned long)(blank - payload), &piece.at_ns) != 0)
        return -1;
    piece.data = blank + 1;
    piece.len = len - (size_t)(piece.data - payload);
    if (piece.len > 0 && piece.data[piece.len - 1] == '\n') {
        piece.ends_line = true;
        piece.len--;
    }
    handler->piece(handler->context, &piece);
    return 0;
}

/* Takes one frame off the front. Returns its bytes, 0 when it is not whole yet, -1 when it is none. */
static long frame_take(const char *data, size_t len, const struct engine_log_handler *handler)
{
    if (len < HEADER_BYTES)
        return 0;
    const unsigned char *h = (const unsigned char *)data;
    size_t payload = (size_t)h[4] << 24 | (size_t)h[5] << 16 | (size_t)h[6] << 8 | h[7];
    if ((h[0] != 1 && h[0] != 2) || h[1] != 0 || h[2] != 0 || h[3] != 0 || payload > FRAME_MAX)
        return -1;
    if (len - HEADER_BYTES < payload)
        return 0;
    if (payload_take(h[0], data + HEADER_BYTES, payload, handler) != 0)
        return -1;
    return (long)(HEADER_BYTES + payload);
}

int docker_log_feed(struct docker_log *log, const char *data, size_t len, const struct engine_log_handler *handler)
{
    /* Whole frames are taken from where they lie; only a frame that is cut is copied. */
    if (log->pending.len > 0) {
        buf_add(&log->pending, data, len);
        if (log->pending.failed)
            return -1;
        data = log->pending.data;
        len = log->pending.len;
    }
    size_t at = 0;
    long taken;
    while ((taken = frame_take(data + at, len - at, handler)) > 0)
        at += (size_t)taken;
    if (taken < 0)
        return -1;
    if (log->pending.len > 0)
        buf_consume(&log->pending, at);
    else
        buf_add(&log->pending, data + at, len - at);
    return log->pending.failed ? -1 : 0;
}
