/* Takes the engine's log stream apart: frames of an 8-byte header (stream, length) and a payload that begins with
 * the time. Pure: bytes in, pieces out, whatever way the bytes are cut. */
#ifndef SKYLARK_ENGINE_DOCKER_LOG_H
#define SKYLARK_ENGINE_DOCKER_LOG_H

#include "common/buf.h"
#include "engine/engine.h"

/* Zero-initialised is ready. */
struct docker_log {
    struct buf pending; /* the beginning of a frame */
};

/* Calls piece for every whole frame. Returns 0, or -1 when the bytes are no such stream; nothing may follow then. */
int docker_log_feed(struct docker_log *log, const char *data, size_t len, const struct engine_log_handler *handler)
    __attribute__((warn_unused_result));

void docker_log_clear(struct docker_log *log);

#endif
