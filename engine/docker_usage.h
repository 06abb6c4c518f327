/* Reads the engine's answer about what a container has used. Pure: text in, figures out. */
#ifndef SKYLARK_ENGINE_DOCKER_USAGE_H
#define SKYLARK_ENGINE_DOCKER_USAGE_H

#include "engine/engine.h"

/* ENGINE_OK; ENGINE_NOT_FOUND when the container does not run (the engine then answers with zeros); ENGINE_FAILED when the text
 * is no such answer. */
enum engine_status docker_usage_read(const char *text, struct engine_usage *usage) __attribute__((warn_unused_result));

#endif
