/* The progress lines of a pull, added up into one sentence. */
#include "engine/docker_pull.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "engine/docker_internal.h"

static struct docker_pull_layer *layer_of(struct docker_pull *p, const char *id)
{
    for (size_t i = 0; i < p->n_layers; i++) {
        if (strcmp(p->layers[i].id, id) == 0)
            return &p->layers[i];
    }
    if (p->n_layers == DOCKER_PULL_LAYERS_MAX || strlen(id) >= sizeof p->layers[0].id)
        return NULL;
    struct docker_pull_layer *layer = &p->layers[p->n_layers++];
    snprintf(layer->id, sizeof layer->id, "%s", id);
    return layer;
}

static void layer_update(struct docker_pull_layer *layer, const char *status, struct json_object *line)
{
    struct json_object *detail, *value;
    if (strcmp(status, "Pull complete") == 0 || strcmp(status, "Already exists") == 0) {
        layer->done = true;
        layer->current = layer->total;
    } else if (strcmp(status, "Download complete") == 0) {
        layer->current = layer->total;
    } else if (strcmp(status, "Downloading") == 0 && json_object_object_get_ex(line, "progressDetail", &detail)) {
        if (json_object_object_get_ex(detail, "current", &value))
            layer->current = json_object_get_int64(value);
        if (json_object_object_get_ex(detail, "total", &value))
            layer->total = json_object_get_int64(value);
    }
}

/* Makes the sentence anew; returns whether it changed. */
static bool sentence_update(struct docker_pull *p)
{
    size_t done = 0;
    double current = 0, total = 0;
    for (size_t i = 0; i < p->n_layers; i++) {
        done += p->layers[i].done;
        current += (double)p->layers[i].current;
        total += (double)p->layers[i].total;
    }
    struct buf fresh = {0};
    buf_addf(&fresh, "%zu of %zu layers", done, p->n_layers);
    if (total > 0)
        buf_addf(&fresh, ", %.1f of %.1f MB", current / 1e6, total / 1e6);
    bool changed = strcmp(buf_text(&fresh), buf_text(&p->sentence)) != 0;
    buf_free(&p->sentence);
    p->sentence = fresh;
    return changed;
}

bool docker_pull_line(struct docker_pull *p, const char *text)
{
    struct json_object *line = json_tokener_parse(text);
    bool changed = false;
    if (json_object_is_type(line, json_type_object)) {
        const char *error = docker_text(line, "error"), *status = docker_text(line, "status"), *id = docker_text(line, "id");
        if (error[0] != '\0') {
            buf_clear(&p->error);
            buf_adds(&p->error, error);
        }
        /* Lines about the whole, such as "Pulling from library/nginx", bear the tag as their id. */
        bool layer_line = id[0] != '\0' && strncmp(status, "Pulling from", 12) != 0;
        struct docker_pull_layer *layer = layer_line ? layer_of(p, id) : NULL;
        if (layer != NULL) {
            layer_update(layer, status, line);
            changed = sentence_update(p);
        }
    }
    json_object_put(line);
    return changed;
}

const char *docker_pull_sentence(const struct docker_pull *p)
{
    return buf_text(&p->sentence);
}

const char *docker_pull_error(const struct docker_pull *p)
{
    return buf_text(&p->error);
}

void docker_pull_clear(struct docker_pull *p)
{
    buf_free(&p->sentence);
    buf_free(&p->error);
    p->n_layers = 0;
}
