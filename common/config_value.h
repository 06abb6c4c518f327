/* One setting's value: reading it from text, writing it as text. */
#ifndef SKYLARK_COMMON_CONFIG_VALUE_H
#define SKYLARK_COMMON_CONFIG_VALUE_H

#include "common/config.h"

/* Parses text into the setting's field of target. Returns 0, or -1 with the fault, in words, in fault. */
int config_value_parse(const struct config_setting *setting, void *target, const char *text, struct buf *fault)
    __attribute__((warn_unused_result));

/* Adds the value in force as it would be written in the file; a secret is masked. */
void config_value_format(const struct config_setting *setting, const void *target, struct buf *out);

#endif
