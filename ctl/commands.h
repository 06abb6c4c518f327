/* The commands of skylarkctl: rows with words, arguments, help and function. */
#ifndef SKYLARK_CTL_COMMANDS_H
#define SKYLARK_CTL_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/db.h"

struct ctl_settings {
    char *database;
};

struct ctl {
    struct ctl_settings settings;
    struct db *db;
    int argc; /* words after the command's own */
    char **argv;
};

#define EXIT_FAILED 1
#define EXIT_USAGE 2

struct command {
    const char *words;     /* such as "user create" */
    const char *arguments; /* as help shows them */
    int min, max;          /* how many arguments; max -1: any */
    int (*run)(struct ctl *ctl); /* returns the exit status */
    const char *help;
};

extern const struct command commands[];
extern const size_t n_commands;

/* migrate.c */
int command_migrate(struct ctl *ctl);
/* Applies roles, their settings and the definitions again where they were changed by hand, and prints what it mends.
 * Returns the exit status. */
int schema_fix(struct ctl *ctl);
/* users.c */
int command_user_create(struct ctl *ctl), command_user_password(struct ctl *ctl), command_user_unlock(struct ctl *ctl),
    command_user_disable(struct ctl *ctl), command_user_enable(struct ctl *ctl), command_user_list(struct ctl *ctl);
/* namespaces.c */
int command_namespace_create(struct ctl *ctl), command_namespace_list(struct ctl *ctl), command_member_set(struct ctl *ctl),
    command_member_remove(struct ctl *ctl);
/* tokens.c */
int command_token_create(struct ctl *ctl), command_token_list(struct ctl *ctl), command_token_revoke(struct ctl *ctl);
/* installation.c */
int command_settings(struct ctl *ctl), command_settings_set(struct ctl *ctl), command_engine_forget(struct ctl *ctl);
int command_front_forget(struct ctl *ctl);
/* quotas.c */
int command_quota(struct ctl *ctl), command_quota_set(struct ctl *ctl);
/* volume_types.c */
int command_volume_type_list(struct ctl *ctl), command_volume_type_set(struct ctl *ctl), command_volume_type_remove(struct ctl *ctl);
/* status.c */
int command_status(struct ctl *ctl);
/* doctor.c */
int command_doctor(struct ctl *ctl);

#endif
