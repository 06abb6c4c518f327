/* The command line that every process shares. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/log.h"
#include "common/version.h"

enum { OPTION_DUMP = 256, OPTION_SAMPLE, OPTION_CHECK, OPTION_HELP, OPTION_VERSION };

static const struct option options[] = {
    {"dump", no_argument, NULL, OPTION_DUMP}, {"sample", no_argument, NULL, OPTION_SAMPLE},
    {"check", no_argument, NULL, OPTION_CHECK}, {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION}, {NULL, 0, NULL, 0},
};

static void print_help(const struct config_command *c)
{
    printf("%s: %s\n\n"
           "Usage: %s [-c FILE] [-o NAME=VALUE]... [--check | --dump]\n"
           "  -c FILE        read settings from FILE\n"
           "  -o NAME=VALUE  set one setting, over what FILE says\n"
           "  --check        read the settings, say what is wrong with them, and end\n"
           "  --dump         print the settings in force, secrets masked, and end\n"
           "  --sample       print a sample file with every setting explained, and end\n"
           "  --version      print the version and end\n",
           c->process, c->purpose, c->process);
}

enum config_start config_command(struct config_command *c, int argc, char **argv, void *target)
{
    int action = 0, n_overrides = 0, option;
    c->path = NULL;
    c->overrides = calloc((size_t)argc + 1, sizeof *c->overrides);
    if (c->overrides == NULL)
        return CONFIG_EXIT_BAD;
    while ((option = getopt_long(argc, argv, "+c:o:", options, NULL)) != -1) {
        if (option == 'c') {
            c->path = optarg;
        } else if (option == 'o') {
            c->overrides[n_overrides++] = optarg;
        } else if (option >= OPTION_DUMP) {
            action = option;
        } else {
            fprintf(stderr, "%s: see --help\n", c->process);
            return CONFIG_EXIT_BAD;
        }
    }
    c->n_used = optind;
    switch (action) {
    case OPTION_HELP:
        print_help(c);
        return CONFIG_EXIT_OK;
    case OPTION_VERSION:
        printf("%s %s\n", c->process, SKYLARK_VERSION);
        return CONFIG_EXIT_OK;
    case OPTION_SAMPLE:
        config_sample(c->table, c->n_settings, c->process, stdout);
        return CONFIG_EXIT_OK;
    }
    struct buf errors = {0};
    enum config_start start = CONFIG_RUN;
    if (config_load(c->table, c->n_settings, target, c->path, c->overrides, &errors) != 0) {
        fputs(buf_text(&errors), stderr);
        start = CONFIG_EXIT_BAD;
    } else if (action == OPTION_DUMP) {
        config_dump(c->table, c->n_settings, target, stdout);
        start = CONFIG_EXIT_OK;
    } else if (action == OPTION_CHECK) {
        start = CONFIG_EXIT_OK;
    }
    buf_free(&errors);
    return start;
}

void config_command_free(struct config_command *c)
{
    free(c->overrides);
    c->overrides = NULL;
}

int config_reload(const struct config_command *c, void *target, size_t size, int (*check)(const void *target))
{
    struct buf errors = {0};
    void *fresh = calloc(1, size);
    int result = fresh != NULL ? config_load(c->table, c->n_settings, fresh, c->path, c->overrides, &errors) : -1;
    if (result == 0 && check != NULL)
        result = check(fresh);
    if (result == 0) {
        config_keep(c->table, c->n_settings, fresh, target);
        memcpy(target, fresh, size);
    } else {
        log_error("the configuration has faults and stays as it was: %s", buf_text(&errors));
        if (fresh != NULL)
            config_free(c->table, c->n_settings, fresh);
    }
    free(fresh);
    buf_free(&errors);
    return result;
}
