/* user …: people who log in. Passwords come from standard input only: arguments show in process lists. */
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/secret.h"
#include "ctl/output.h"
#include "gen/ctl_statements.h"

#define PASSWORD_MIN 8
#define PASSWORD_MAX 1024

/* Reads one line; without echo when a person types it. */
static bool read_password(char *out, size_t size)
{
    struct termios shown, hidden;
    bool terminal = tcgetattr(STDIN_FILENO, &shown) == 0;
    if (terminal) {
        hidden = shown;
        hidden.c_lflag &= ~(tcflag_t)ECHO;
        fputs("Password: ", stderr);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    bool ok = fgets(out, (int)size, stdin) != NULL;
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        fputc('\n', stderr);
    }
    if (!ok)
        out[0] = '\0';
    out[strcspn(out, "\r\n")] = '\0';
    size_t len = strlen(out);
    if (len >= PASSWORD_MIN && len <= PASSWORD_MAX)
        return true;
    fprintf(stderr, "skylarkctl: a password (one line on standard input) has %d to %d bytes\n", PASSWORD_MIN, PASSWORD_MAX);
    return false;
}

DB_SAME_PLACE(CTL_USER_CREATE_P_NAME, CTL_USER_PASSWORD_P_NAME);
DB_SAME_PLACE(CTL_USER_CREATE_P_PASSWORD_HASH, CTL_USER_PASSWORD_P_PASSWORD_HASH);

/* keep_tokens: user_create has no such parameter. */
static int with_password(struct ctl *ctl, unsigned statement, const char *keep_tokens, const char *done, const char *missing)
{
    char password[PASSWORD_MAX + 3], hash[SECRET_PASSWORD_HASH_SIZE];
    int status = EXIT_FAILED;
    if (read_password(password, sizeof password)) {
        if (secret_hash_password(password, hash) != 0) {
            fputs("skylarkctl: not enough memory to hash the password\n", stderr);
        } else {
            const char *params[CTL_USER_PASSWORD_P__MAX] = {
                [CTL_USER_PASSWORD_P_NAME] = ctl->argv[0],
                [CTL_USER_PASSWORD_P_PASSWORD_HASH] = hash,
                [CTL_USER_PASSWORD_P_KEEP_TOKENS] = keep_tokens,
            };
            status = output_change(ctl, statement, params, done, missing);
        }
    }
    secret_wipe(password, sizeof password);
    return status;
}

int command_user_create(struct ctl *ctl)
{
    return with_password(ctl, CTL_USER_CREATE, NULL, "user created", "nothing was created");
}

int command_user_password(struct ctl *ctl)
{
    bool keep = ctl->argc > 1;
    if (keep && strcmp(ctl->argv[1], "--keep-tokens") != 0) {
        fprintf(stderr, "skylarkctl: %s: not an option\n", ctl->argv[1]);
        return EXIT_USAGE;
    }
    return with_password(ctl, CTL_USER_PASSWORD, keep ? "yes" : "no",
                         keep ? "password set; the user's tokens stay valid" : "password set; the user's tokens are revoked",
                         "there is no such user");
}

int command_user_unlock(struct ctl *ctl)
{
    const char *params[CTL_USER_UNLOCK_P__MAX] = {[CTL_USER_UNLOCK_P_NAME] = ctl->argv[0]};
    return output_change(ctl, CTL_USER_UNLOCK, params, "failed logins forgotten", "there is no such user");
}

int command_user_disable(struct ctl *ctl)
{
    const char *params[CTL_USER_DISABLE_P__MAX] = {
        [CTL_USER_DISABLE_P_NAME] = ctl->argv[0],
        [CTL_USER_DISABLE_P_DISABLED] = "yes",
    };
    return output_change(ctl, CTL_USER_DISABLE, params, "user disabled", "there is no such user");
}

int command_user_enable(struct ctl *ctl)
{
    const char *params[CTL_USER_DISABLE_P__MAX] = {
        [CTL_USER_DISABLE_P_NAME] = ctl->argv[0],
        [CTL_USER_DISABLE_P_DISABLED] = "no",
    };
    return output_change(ctl, CTL_USER_DISABLE, params, "user enabled", "there is no such user");
}

int command_user_list(struct ctl *ctl)
{
    return output_query(ctl, CTL_USERS_LIST, NULL);
}
