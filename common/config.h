/* Settings: each process has one table of rows, and loading, defaults, checks, --dump and the sample
 * file all follow that table. A file holds `name = value` lines; # starts a comment line. */
#ifndef SKYLARK_COMMON_CONFIG_H
#define SKYLARK_COMMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/buf.h"

enum config_type {
    CONFIG_STRING,   /* char *, owned by the target struct; never NULL once loaded */
    CONFIG_CONNECTION, /* the same, a connection string of libpq: its passwords are masked in --dump, and refused in -o */
    CONFIG_INTEGER,  /* int64_t */
    CONFIG_BOOLEAN,  /* bool; yes or no */
    CONFIG_DURATION, /* int64_t milliseconds; written 500ms, 10s, 5m, 2h, 7d */
    CONFIG_SIZE,     /* int64_t bytes; written 512, 64k, 10m, 2g (powers of 1024) */
    CONFIG_CHOICE,   /* int64_t index into choices */
    CONFIG__MAX
};

struct config_setting {
    const char *name;
    enum config_type type;
    size_t offset;            /* of its field in the target struct */
    const char *fallback;     /* default, as it would be written in the file; NULL: must be given */
    int64_t min, max;         /* both 0: any; of a string: its length */
    const char *const *choices; /* CONFIG_CHOICE: NULL-terminated */
    bool reloadable;          /* taken up on SIGHUP; others need a restart */
    bool secret;              /* a CONFIG_STRING that is masked in --dump */
    const char *help;         /* what it does, one or two sentences, units included */
};

/* Fills target (zero-initialised) from the defaults, then from the file at path (NULL: defaults only),
 * then from overrides: `name=value` strings, NULL-terminated; NULL for none. Returns 0, or -1 with
 * every fault, one a line as "file:line: what", in errors; target is then to be freed all the same. */
int config_load(const struct config_setting *table, size_t n_settings, void *target, const char *path,
                const char *const *overrides, struct buf *errors) __attribute__((warn_unused_result));

/* Frees the strings that config_load allocated. */
void config_free(const struct config_setting *table, size_t n_settings, void *target);

/* After a reload: settings that are not reloadable keep the value they have in old, with a warning in the log when
 * the file now says another. Frees old; fresh then owns everything. */
void config_keep(const struct config_setting *table, size_t n_settings, void *fresh, void *old);

/* Writes the settings in force, secrets masked (of a connection string, only its passwords). */
void config_dump(const struct config_setting *table, size_t n_settings, const void *target, FILE *out);

/* Writes a sample file: every setting with its help, as a comment, at its default. */
void config_sample(const struct config_setting *table, size_t n_settings, const char *process, FILE *out);

/* What every process's main() does first. Options: -c FILE, -o NAME=VALUE (again and again), --dump,
 * --sample, --check, --help, --version. */
enum config_start { CONFIG_RUN, CONFIG_EXIT_OK, CONFIG_EXIT_BAD };
struct config_command {
    const char *process;   /* skylark-api, ... */
    const char *purpose;   /* one line for --help */
    const struct config_setting *table;
    size_t n_settings;
    const char *path;      /* out: the -c argument, or NULL */
    int n_used;            /* out: words of argv that were options; what follows is the caller's */
    const char **overrides; /* out: NULL-terminated, owned; freed by config_command_free */
};

/* Parses argv, loads into target and prints what --dump, --sample, --help and --version ask for.
 * CONFIG_RUN: go on with target filled. Faults are printed to standard error (CONFIG_EXIT_BAD). */
enum config_start config_command(struct config_command *command, int argc, char **argv, void *target)
    __attribute__((warn_unused_result));
void config_command_free(struct config_command *command);

/* What SIGHUP does: loads the same file and overrides anew into target (of size bytes), keeping what needs a restart. With
 * any fault, or when check (may be NULL) finds the whole not right, target stays as it was. Logs either. Returns 0 or -1. */
int config_reload(const struct config_command *command, void *target, size_t size, int (*check)(const void *target))
    __attribute__((warn_unused_result));

#endif
