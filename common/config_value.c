/* One setting's value: reading it from text, writing it as text. */
#include "common/config_value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/connection.h"

struct unit {
    const char *name;
    int64_t factor;
};
static const struct unit duration_units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const struct unit size_units[] = {{"", 1}, {"k", 1024}, {"m", 1048576}, {"g", 1073741824}, {NULL, 0}};
static const struct unit no_units[] = {{"", 1}, {NULL, 0}};

static const struct unit *units_of(enum config_type type)
{
    return type == CONFIG_DURATION ? duration_units : type == CONFIG_SIZE ? size_units : no_units;
}

static void *field_of(const struct config_setting *setting, void *target)
{
    return (char *)target + setting->offset;
}

static int64_t *integer_of(const struct config_setting *setting, const void *target)
{
    return (int64_t *)(uintptr_t)((const char *)target + setting->offset);
}

/* The largest unit that divides the value, as a person would write it. */
static void format_with_unit(const struct config_setting *setting, int64_t value, struct buf *out)
{
    const struct unit *best = NULL;
    for (const struct unit *u = units_of(setting->type); u->name != NULL; u++) {
        if (best == NULL || (value != 0 && value % u->factor == 0 && u->factor > best->factor))
            best = u;
    }
    buf_addf(out, "%" PRId64 "%s", value / best->factor, best->name);
}

static int parse_number(const struct config_setting *setting, void *target, const char *text, struct buf *fault)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    bool ok = errno == 0 && end != text && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9'));
    const struct unit *u = units_of(setting->type);
    while (ok && u->name != NULL && strcmp(end, u->name) != 0)
        u++;
    int64_t value = 0;
    if (!ok || u->name == NULL || __builtin_mul_overflow((int64_t)number, u->factor, &value)) {
        buf_addf(fault, "must be %s",
                 setting->type == CONFIG_DURATION ? "a duration such as 500ms, 10s, 5m, 2h or 7d"
                 : setting->type == CONFIG_SIZE   ? "a size such as 512, 64k, 10m or 2g"
                                                  : "a whole number");
        return -1;
    }
    if ((setting->min != 0 || setting->max != 0) && (value < setting->min || value > setting->max)) {
        buf_adds(fault, "must be from ");
        format_with_unit(setting, setting->min, fault);
        buf_adds(fault, " to ");
        format_with_unit(setting, setting->max, fault);
        return -1;
    }
    *(int64_t *)field_of(setting, target) = value;
    return 0;
}

static int parse_string(const struct config_setting *setting, void *target, const char *text, struct buf *fault)
{
    int64_t len = (int64_t)strlen(text);
    if ((setting->min != 0 || setting->max != 0) && (len < setting->min || len > setting->max)) {
        buf_addf(fault, "must have %" PRId64 " to %" PRId64 " characters", setting->min, setting->max);
        return -1;
    }
    char *copy = strdup(text);
    if (copy == NULL) {
        buf_adds(fault, "out of memory");
        return -1;
    }
    char **field = field_of(setting, target);
    free(*field);
    *field = copy;
    return 0;
}

static int parse_choice(const struct config_setting *setting, void *target, const char *text, struct buf *fault)
{
    for (int64_t i = 0; setting->choices[i] != NULL; i++) {
        if (strcmp(text, setting->choices[i]) == 0) {
            *(int64_t *)field_of(setting, target) = i;
            return 0;
        }
    }
    buf_adds(fault, "must be one of");
    for (int i = 0; setting->choices[i] != NULL; i++)
        buf_addf(fault, "%s %s", i > 0 ? "," : "", setting->choices[i]);
    return -1;
}

int config_value_parse(const struct config_setting *setting, void *target, const char *text, struct buf *fault)
{
    switch (setting->type) {
    case CONFIG_STRING:
        return parse_string(setting, target, text, fault);
    case CONFIG_CONNECTION:
        return connection_check(text, fault) == 0 ? parse_string(setting, target, text, fault) : -1;
    case CONFIG_INTEGER:
    case CONFIG_DURATION:
    case CONFIG_SIZE:
        return parse_number(setting, target, text, fault);
    case CONFIG_CHOICE:
        return parse_choice(setting, target, text, fault);
    case CONFIG_BOOLEAN:
        if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0) {
            buf_adds(fault, "must be yes or no");
            return -1;
        }
        *(bool *)field_of(setting, target) = text[0] == 'y';
        return 0;
    case CONFIG__MAX:
        break;
    }
    abort(); /* a row of a table with no type: a defect that no input can cause */
}

void config_value_format(const struct config_setting *setting, const void *target, struct buf *out)
{
    const char *field = (const char *)target + setting->offset;
    switch (setting->type) {
    case CONFIG_STRING:
        if (setting->secret)
            buf_adds(out, (*(char *const *)(const void *)field)[0] != '\0' ? "********" : "");
        else
            buf_adds(out, *(char *const *)(const void *)field);
        return;
    case CONFIG_CONNECTION:
        connection_format(*(char *const *)(const void *)field, out);
        return;
    case CONFIG_INTEGER:
    case CONFIG_DURATION:
    case CONFIG_SIZE:
        format_with_unit(setting, *integer_of(setting, target), out);
        return;
    case CONFIG_BOOLEAN:
        buf_adds(out, *(const bool *)field ? "yes" : "no");
        return;
    case CONFIG_CHOICE:
        buf_adds(out, setting->choices[*integer_of(setting, target)]);
        return;
    case CONFIG__MAX:
        break;
    }
    abort(); /* as in config_value_parse */
}
