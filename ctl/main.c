/* skylarkctl: what a person does by hand. Commands are rows; this finds the row and calls it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/log.h"
#include "common/secret.h"
#include "common/version.h"
#include "ctl/commands.h"
#include "ctl/output.h"
#include "gen/ctl_statements.h"

static const struct config_setting rows[] = {
    {.name = "database", .type = CONFIG_CONNECTION, .offset = offsetof(struct ctl_settings, database),
     .fallback = "dbname=skylark",
     .help = "Connection string of libpq, for a role that owns the schema. Keep a password out of it: use a passfile."},
};

const struct command commands[] = {
    {"migrate", "[--status]", 0, 1, command_migrate, "bring the schema up to this version; --status only lists"},
    {"status", "[NAMESPACE]", 0, 1, command_status, "show the engine, and the services and instances, of all namespaces or of one"},
    {"doctor", "[--fix]", 0, 1, command_doctor,
     "check everything that can be checked from the database; --fix mends rights, views, functions, triggers and roles' settings"},
    {"settings", "", 0, 0, command_settings, "show what is true of the installation as a whole"},
    {"settings set", "NAME=VALUE...", 1, 6, command_settings_set,
     "change base_domain, region_name, region_iaas, service_ports, front_address or host_names"},
    {"volume-type list", "", 0, 0, command_volume_type_list,
     "show what each volume_type of the API is made with, and whether its size is enforced"},
    {"volume-type set", "NAME DRIVER [OPTION=VALUE...]", 2, -1, command_volume_type_set,
     "add or change a volume_type; values may hold {size_gb}, {namespace}, {service} and {volume}"},
    {"volume-type remove", "NAME", 1, 1, command_volume_type_remove, "take away a volume_type that no service uses"},
    {"front forget", "NAME", 1, 1, command_front_forget, "stop waiting for a front that is gone for good"},
    {"engine forget", "", 0, 0, command_engine_forget, "let deployers take up another container engine"},
    {"user create", "NAME", 1, 1, command_user_create, "add a user; the password is read from standard input"},
    {"user password", "NAME [--keep-tokens]", 1, 2, command_user_password,
     "set a password, read from standard input, and revoke the user's tokens"},
    {"user unlock", "NAME", 1, 1, command_user_unlock, "forget the user's failed logins, so that the next one is not refused"},
    {"user disable", "NAME", 1, 1, command_user_disable, "refuse a user's logins and tokens"},
    {"user enable", "NAME", 1, 1, command_user_enable, "take that back"},
    {"user list", "", 0, 0, command_user_list, "list the users"},
    {"namespace create", "NAME", 1, 1, command_namespace_create, "add an organisation"},
    {"namespace list", "", 0, 0, command_namespace_list, "list users' and organisations' namespaces"},
    {"member set", "NAMESPACE USER read|write|admin", 3, 3, command_member_set, "give a user a right in a namespace"},
    {"member remove", "NAMESPACE USER", 2, 2, command_member_remove, "take it away"},
    {"quota", "[NAMESPACE]", 0, 1, command_quota, "show what a namespace has and may have, or what all may have"},
    {"quota set", "NAMESPACE|--default NAME=NUMBER|none|default...", 2, -1, command_quota_set,
     "change what a namespace, or each that has no quotas of its own, may have"},
    {"token create", "USER [--scope read|write|admin] [--days N] [--description TEXT]", 1, 7, command_token_create,
     "make an API token and print it, once; valid until it is not used for a year, or for N days (0: until revoked)"},
    {"token list", "USER", 1, 1, command_token_list, "list a user's tokens"},
    {"token revoke", "ID", 1, 1, command_token_revoke, "refuse a token from now on"},
};
const size_t n_commands = sizeof commands / sizeof commands[0];

/* Whether the command's first word is group; NULL is the first word of all. */
static bool in_group(const struct command *command, const char *group)
{
    return group == NULL || (strcspn(command->words, " ") == strlen(group) && strncmp(command->words, group, strlen(group)) == 0);
}

/* The commands that begin with the word group; all of them when none does. */
static void print_help(FILE *out, const char *group)
{
    bool known = false;
    for (size_t i = 0; i < n_commands; i++)
        known = known || in_group(&commands[i], group);
    fprintf(out, "skylarkctl %s, for the operator of Skylark\n\n"
                 "Usage: skylarkctl [-c FILE] [-o database=CONNINFO] COMMAND...\n\n", SKYLARK_VERSION);
    for (size_t i = 0; i < n_commands; i++) {
        const struct command *c = &commands[i];
        if (!known || in_group(c, group))
            fprintf(out, "  %s%s%s\n      %s\n", c->words, c->arguments[0] != '\0' ? " " : "", c->arguments, c->help);
    }
}

static bool asks_for_help(int argc, char **argv)
{
    return argc > 0 && (strcmp(argv[0], "help") == 0 || strcmp(argv[argc - 1], "--help") == 0);
}

/* How many words of argv the command's own words take; 0 when they do not match. */
static int words_match(const char *words, int argc, char **argv)
{
    int n = 0;
    while (*words != '\0') {
        size_t len = strcspn(words, " ");
        if (n == argc || strlen(argv[n]) != len || strncmp(argv[n], words, len) != 0)
            return 0;
        n++;
        words += len + (words[len] == ' ');
    }
    return n;
}

/* The row with the most matching words: "settings set" goes before "settings". */
static const struct command *command_find(int argc, char **argv, int *taken)
{
    const struct command *found = NULL;
    *taken = 0;
    for (size_t i = 0; i < n_commands; i++) {
        int n = words_match(commands[i].words, argc, argv);
        if (n > *taken) {
            *taken = n;
            found = &commands[i];
        }
    }
    return found;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    int taken;
    const struct command *command = command_find(argc, argv, &taken);
    if (asks_for_help(argc, argv)) {
        print_help(stdout, strcmp(argv[0], "help") != 0 ? argv[0] : argc > 1 ? argv[1] : NULL);
        return 0;
    }
    if (command == NULL) {
        print_help(stderr, argc > 0 ? argv[0] : NULL);
        return EXIT_USAGE;
    }
    ctl->argc = argc - taken;
    ctl->argv = argv + taken;
    if (ctl->argc < command->min || (command->max >= 0 && ctl->argc > command->max)) {
        fprintf(stderr, "Usage: skylarkctl %s%s%s\n", command->words, command->arguments[0] != '\0' ? " " : "",
                command->arguments);
        return EXIT_USAGE;
    }
    struct db_options options = {
        .conninfo = ctl->settings.database, .application_name = "skylarkctl", .statements = ctl_statements,
        .n_statements = CTL__MAX, .connect_deadline_ms = 10000, .query_deadline_ms = 60000,
    };
    ctl->db = db_create(&options);
    if (ctl->db == NULL || secret_init() != 0) {
        fputs("skylarkctl: out of memory\n", stderr);
        return EXIT_FAILED;
    }
    return command->run(ctl);
}

int main(int argc, char **argv)
{
    struct ctl ctl = {0};
    struct config_command config = {
        .process = "skylarkctl", .purpose = "shows and changes the installation, for its operator; skylarkctl help lists the commands",
        .table = rows, .n_settings = sizeof rows / sizeof rows[0],
    };
    /* Failures are printed for the person, not logged. */
    log_open("skylarkctl", LOG_LEVEL__MAX);
    int status = EXIT_USAGE;
    enum config_start start = config_command(&config, argc, argv, &ctl.settings);
    if (start == CONFIG_RUN)
        status = run(&ctl, argc - config.n_used, argv + config.n_used);
    else if (start == CONFIG_EXIT_OK)
        status = 0;
    db_free(ctl.db);
    config_free(rows, sizeof rows / sizeof rows[0], &ctl.settings);
    config_command_free(&config);
    return status;
}
