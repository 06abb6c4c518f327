/* token …: API tokens. A token is printed once, when it is made; only its hash is kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "ctl/output.h"
#include "gen/ctl_statements.h"

#define DAYS_MAX 36500

/* Reads --scope, --days and --description into params. */
static bool read_options(struct ctl *ctl, const char **scope, const char **days, const char **description)
{
    for (int i = 1; i < ctl->argc; i += 2) {
        const char *name = ctl->argv[i], *value = i + 1 < ctl->argc ? ctl->argv[i + 1] : NULL;
        if (value != NULL && strcmp(name, "--scope") == 0 &&
            (strcmp(value, "read") == 0 || strcmp(value, "write") == 0 || strcmp(value, "admin") == 0)) {
            *scope = value;
        } else if (value != NULL && strcmp(name, "--days") == 0 && strspn(value, "0123456789") == strlen(value) &&
                   value[0] != '\0' && strtol(value, NULL, 10) <= DAYS_MAX) {
            *days = value;
        } else if (value != NULL && strcmp(name, "--description") == 0 && strlen(value) <= 200) {
            *description = value;
        } else {
            fprintf(stderr, "skylarkctl: %s%s%s: not an option with a value that can be taken\n", name,
                    value != NULL ? " " : "", value != NULL ? value : "");
            return false;
        }
    }
    return true;
}

int command_token_create(struct ctl *ctl)
{
    const char *scope = "admin", *days = NULL, *description = "";
    if (!read_options(ctl, &scope, &days, &description))
        return EXIT_USAGE;
    char token[SECRET_TOKEN_SIZE], prefix[SECRET_TOKEN_PREFIX_SIZE], hash_text[2 + 2 * SECRET_HASH_SIZE + 1] = "\\x";
    unsigned char hash[SECRET_HASH_SIZE];
    secret_make_token(token, prefix);
    secret_hash_token(token, strlen(token), hash);
    for (size_t i = 0; i < sizeof hash; i++)
        snprintf(hash_text + 2 + 2 * i, 3, "%02x", hash[i]);
    const char *params[CTL_TOKEN_CREATE_P__MAX] = {
        [CTL_TOKEN_CREATE_P_USER_NAME] = ctl->argv[0],
        [CTL_TOKEN_CREATE_P_TOKEN_HASH] = hash_text,
        [CTL_TOKEN_CREATE_P_TOKEN_PREFIX] = prefix,
        [CTL_TOKEN_CREATE_P_SCOPE] = scope,
        [CTL_TOKEN_CREATE_P_DESCRIPTION] = description,
        [CTL_TOKEN_CREATE_P_DAYS] = days,
    };
    int status = output_change(ctl, CTL_TOKEN_CREATE, params, token, "there is no such user");
    secret_wipe(token, sizeof token);
    return status;
}

int command_token_list(struct ctl *ctl)
{
    const char *params[CTL_TOKENS_LIST_P__MAX] = {[CTL_TOKENS_LIST_P_USER_NAME] = ctl->argv[0]};
    return output_query(ctl, CTL_TOKENS_LIST, params);
}

int command_token_revoke(struct ctl *ctl)
{
    if (strspn(ctl->argv[0], "0123456789") != strlen(ctl->argv[0])) {
        fputs("skylarkctl: a token is named by its number; skylarkctl token list shows it\n", stderr);
        return EXIT_USAGE;
    }
    const char *params[CTL_TOKEN_REVOKE_P__MAX] = {[CTL_TOKEN_REVOKE_P_TOKEN_ID] = ctl->argv[0]};
    return output_change(ctl, CTL_TOKEN_REVOKE, params, "token revoked", "there is no such token, or it is revoked already");
}
