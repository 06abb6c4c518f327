/* The progress lines of a pull, added up over the image's layers into one sentence. */
#ifndef SKYLARK_ENGINE_DOCKER_PULL_H
#define SKYLARK_ENGINE_DOCKER_PULL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define DOCKER_PULL_LAYERS_MAX 256

struct docker_pull_layer {
    char id[16];
    int64_t current, total;
    bool done;
};

/* Zero-initialised is ready. */
struct docker_pull {
    struct docker_pull_layer layers[DOCKER_PULL_LAYERS_MAX];
    size_t n_layers;
    struct buf sentence, error;
};

/* Takes one line of JSON. Returns whether the sentence changed. */
bool docker_pull_line(struct docker_pull *pull, const char *line);

/* Such as "2 of 5 layers, 12.0 of 40.3 MB". */
const char *docker_pull_sentence(const struct docker_pull *pull);

/* The engine's words when the pull failed, "" as long as it has not. */
const char *docker_pull_error(const struct docker_pull *pull);

void docker_pull_clear(struct docker_pull *pull);

#endif
