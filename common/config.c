/* Settings: reading a file into a struct by a table of rows, and writing it back. */
#include "common/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/config_value.h"
#include "common/connection.h"
#include "common/log.h"

static const struct config_setting *setting_find(const struct config_setting *table, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    }
    return NULL;
}

/* Cuts blanks off both ends, in place. */
static char *trim(char *s)
{
    while (isspace((unsigned char)*s))
        s++;
    size_t len = strlen(s);
    while (len > 0 && isspace((unsigned char)s[len - 1]))
        s[--len] = '\0';
    return s;
}

/* One `name = value`, in place. where: how errors name the place. given: which rows were set already; on the command line they may be set
 * again. */
static void assignment_apply(const struct config_setting *table, size_t n, void *target, char *text,
                             const char *where, bool *given, bool command_line, struct buf *errors)
{
    char *equals = strchr(text, '=');
    if (equals == NULL) {
        buf_addf(errors, "%s: not a line of the form name = value\n", where);
        return;
    }
    *equals = '\0';
    const char *name = trim(text), *value = trim(equals + 1);
    const struct config_setting *setting = setting_find(table, n, name);
    if (setting == NULL) {
        buf_addf(errors, "%s: there is no setting named \"%s\"\n", where, name);
        return;
    }
    size_t index = (size_t)(setting - table);
    if (given[index] && !command_line)
        buf_addf(errors, "%s: %s is set twice\n", where, name);
    given[index] = true;
    struct buf fault = {0};
    if (config_value_parse(setting, target, value, &fault) != 0)
        buf_addf(errors, "%s: %s %s\n", where, name, buf_text(&fault));
    else if (setting->type == CONFIG_CONNECTION && command_line && connection_has_secret(value))
        buf_addf(errors, "%s: %s must not hold a password here, where the list of processes shows it: write it into the file, or use a "
                 "passfile\n", where, name);
    buf_free(&fault);
}

static void file_apply(const struct config_setting *table, size_t n, void *target, const char *path, bool *given,
                       struct buf *errors)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        buf_addf(errors, "%s: %s\n", path, strerror(errno));
        return;
    }
    char *line = NULL;
    size_t cap = 0;
    struct buf where = {0};
    for (long number = 1; getline(&line, &cap, file) >= 0; number++) {
        char *text = trim(line);
        if (text[0] == '\0' || text[0] == '#')
            continue;
        buf_clear(&where);
        buf_addf(&where, "%s:%ld", path, number);
        assignment_apply(table, n, target, text, buf_text(&where), given, false, errors);
    }
    if (ferror(file))
        buf_addf(errors, "%s: %s\n", path, strerror(errno));
    fclose(file);
    free(line);
    buf_free(&where);
}

int config_load(const struct config_setting *table, size_t n, void *target, const char *path,
                const char *const *overrides, struct buf *errors)
{
    bool *given = calloc(n + 1, sizeof *given);
    if (given == NULL) {
        buf_adds(errors, "out of memory\n");
        return -1;
    }
    size_t before = errors->len;
    struct buf fault = {0};
    for (size_t i = 0; i < n; i++) {
        const char *text = table[i].fallback != NULL ? table[i].fallback : "";
        if (table[i].fallback == NULL && table[i].type != CONFIG_STRING && table[i].type != CONFIG_CONNECTION)
            continue;
        /* A required string starts as "", whatever its shortest length. */
        struct config_setting row = table[i];
        if (row.fallback == NULL)
            row.min = row.max = 0;
        if (config_value_parse(&row, target, text, &fault) != 0)
            buf_addf(errors, "default of %s: %s\n", row.name, buf_text(&fault));
    }
    buf_free(&fault);
    if (path != NULL)
        file_apply(table, n, target, path, given, errors);
    for (size_t i = 0; overrides != NULL && overrides[i] != NULL; i++) {
        char *copy = strdup(overrides[i]);
        if (copy != NULL)
            assignment_apply(table, n, target, copy, "-o", given, true, errors);
        free(copy);
    }
    for (size_t i = 0; i < n; i++) {
        if (table[i].fallback == NULL && !given[i])
            buf_addf(errors, "%s: %s must be set\n", path != NULL ? path : "configuration", table[i].name);
    }
    free(given);
    return errors->len == before ? 0 : -1;
}

void config_free(const struct config_setting *table, size_t n, void *target)
{
    for (size_t i = 0; i < n; i++) {
        if (table[i].type != CONFIG_STRING && table[i].type != CONFIG_CONNECTION)
            continue;
        char **field = (char **)(void *)((char *)target + table[i].offset);
        free(*field);
        *field = NULL;
    }
}

void config_keep(const struct config_setting *table, size_t n, void *fresh, void *old)
{
    struct buf before = {0}, after = {0}, fault = {0};
    for (size_t i = 0; i < n; i++) {
        if (table[i].reloadable)
            continue;
        struct config_setting row = table[i];
        row.secret = false; /* compared and kept whole, not shown */
        if (row.type == CONFIG_CONNECTION)
            row.type = CONFIG_STRING;
        buf_clear(&before);
        buf_clear(&after);
        config_value_format(&row, old, &before);
        config_value_format(&row, fresh, &after);
        if (strcmp(buf_text(&before), buf_text(&after)) == 0)
            continue;
        log_warning("%s takes effect with the next restart only", row.name);
        if (config_value_parse(&row, fresh, buf_text(&before), &fault) != 0)
            log_error("%s could not be kept: %s", row.name, buf_text(&fault));
    }
    buf_free(&before);
    buf_free(&after);
    buf_free(&fault);
    config_free(table, n, old);
}

void config_dump(const struct config_setting *table, size_t n, const void *target, FILE *out)
{
    struct buf value = {0};
    for (size_t i = 0; i < n; i++) {
        buf_clear(&value);
        config_value_format(&table[i], target, &value);
        fprintf(out, "%s = %s\n", table[i].name, buf_text(&value));
    }
    buf_free(&value);
}

/* Wraps a help text into comment lines of at most 100 characters. */
static void sample_help(const char *text, FILE *out)
{
    size_t column = 0;
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (column > 0 && column + 1 + word > 98) {
            fputc('\n', out);
            column = 0;
        }
        fputs(column == 0 ? "# " : " ", out);
        fwrite(text, 1, word, out);
        column += word + 1;
        text += word;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

void config_sample(const struct config_setting *table, size_t n, const char *process, FILE *out)
{
    fprintf(out, "# Settings of %s, each at its default. Those marked (reload) are taken up on SIGHUP.\n", process);
    for (size_t i = 0; i < n; i++) {
        fputc('\n', out);
        sample_help(table[i].help, out);
        if (table[i].reloadable)
            fputs("# (reload)\n", out);
        if (table[i].choices != NULL) {
            fputs("# One of:", out);
            for (int c = 0; table[i].choices[c] != NULL; c++)
                fprintf(out, "%s %s", c > 0 ? "," : "", table[i].choices[c]);
            fputc('\n', out);
        }
        if (table[i].fallback == NULL)
            fprintf(out, "# %s must be set:\n#%s =\n", table[i].name, table[i].name);
        else
            fprintf(out, "#%s = %s\n", table[i].name, table[i].fallback);
    }
}
