/* POST of a user name and password for a token. Guessing is slowed down before the password is looked at. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/secret.h"
#include "fcgi/address.h"
#include "fcgi/fields.h"
#include "fcgi/handlers.h"
#include "fcgi/slots.h"
#include "gen/api_statements.h"

#define NAME_MAX_BYTES 100
#define PASSWORD_MAX_BYTES 1024

struct login {
    const char *username, *password;   /* of the arena's objects */
    const char *given;                 /* the password as it stands in the body's object */
    char address[ADDRESS_PREFIX_SIZE]; /* what attempts are counted by, with the name */
};

static const struct field login_fields[] = {
    {.name = "username", .type = FIELD_TEXT, .required = true, .min = 1, .max = NAME_MAX_BYTES, .help = "Name of the user."},
    {.name = "password", .type = FIELD_TEXT, .required = true, .min = 1, .max = PASSWORD_MAX_BYTES, .help = "Its password."},
};

/* Who may hash a password now: it takes 64 MiB, and all of a CPU for a tenth of a second. */
static struct slots *slots;

int handle_token_open(void)
{
    slots = slots_open("the slots of logins");
    return slots != NULL ? 0 : -1;
}

/* The body as an object, whichever way it was sent. */
static struct json_object *login_body(struct request *rq)
{
    if (rq->body_kind != BODY_URLENCODED && rq->body_kind != BODY_MULTIPART)
        return request_json(rq);
    struct form form = {0};
    const char *fault = NULL;
    int parsed = rq->body_kind == BODY_URLENCODED
                     ? form_parse_urlencoded(&form, buf_text(&rq->body), rq->body.len, &fault)
                     : form_parse_multipart(&form, request_parameter(rq, "CONTENT_TYPE"), buf_text(&rq->body), rq->body.len,
                                            &fault);
    struct json_object *object = NULL;
    if (parsed != 0) {
        problem_set(&rq->problem, PROBLEM_BAD_REQUEST, "The body can't be read: %s.", fault);
    } else {
        object = json_object_new_object();
        for (size_t i = 0; i < form.n; i++)
            json_object_object_add(object, form.fields[i].name, json_object_new_string(form.fields[i].value));
    }
    form_free(&form);
    return arena_own(&rq->arena, request_put_json, object) ? object : NULL;
}

/* The password does not stay in memory for longer than the request. */
static void forget(const char *secret)
{
    if (secret != NULL)
        secret_wipe((char *)secret, strlen(secret)); /* a string of json-c, which nobody reads any more */
}

static void login_forget(void *object)
{
    struct login *login = object;
    forget(login->given);
    forget(login->password);
}

void parse_login(struct request *rq)
{
    struct json_object *body = login_body(rq), *value;
    struct login *login = arena_alloc(&rq->arena, sizeof *login);
    if (rq->body.data != NULL)
        secret_wipe(rq->body.data, rq->body.len);
    if (body == NULL || login == NULL)
        return;
    if (json_object_object_get_ex(body, "password", &value) && json_object_is_type(value, json_type_string))
        login->given = json_object_get_string(value);
    struct json_object *checked = fields_check(login_fields, sizeof login_fields / sizeof login_fields[0], body,
                                               FIELDS_CREATE, &rq->problem);
    if (!arena_own(&rq->arena, request_put_json, checked))
        return;
    if (json_object_object_get_ex(checked, "password", &value))
        login->password = json_object_get_string(value);
    /* After the objects, so that they are still there when it is called. */
    if (!arena_own(&rq->arena, login_forget, login) || rq->problem.kind != PROBLEM_NONE)
        return;
    if (json_object_object_get_ex(checked, "username", &value))
        login->username = json_object_get_string(value);
    address_prefix(rq->address, login->address);
    rq->asked = login;
}

/* What the user's password is checked against; all empty: there is no such user. */
struct login_user {
    char id[24], changed_at[40], hash[SECRET_PASSWORD_HASH_SIZE];
};

/* Counts the attempt; reports 429 when there were too many. */
static bool login_allowed(struct request *rq, const struct login *login, struct login_user *user)
{
    char per_minute[24];
    snprintf(per_minute, sizeof per_minute, "%" PRId64, rq->settings->login_failures);
    const char *params[API_LOGIN_ATTEMPT_P__MAX] = {
        [API_LOGIN_ATTEMPT_P_USER_NAME] = login->username,
        [API_LOGIN_ATTEMPT_P_ADDRESS] = login->address,
        [API_LOGIN_ATTEMPT_P_PER_MINUTE] = per_minute,
    };
    PGresult *result;
    enum db_status status = db_run(rq->db, API_LOGIN_ATTEMPT, params, &result);
    request_db_problem(rq, status);
    if (status != DB_OK)
        return false;
    int wait = (int)db_int(result, 0, API_LOGIN_ATTEMPT_C_REFUSED_SECONDS);
    snprintf(user->id, sizeof user->id, "%s", db_text(result, 0, API_LOGIN_ATTEMPT_C_USER_ID));
    snprintf(user->changed_at, sizeof user->changed_at, "%s", db_text(result, 0, API_LOGIN_ATTEMPT_C_PASSWORD_CHANGED_AT));
    snprintf(user->hash, sizeof user->hash, "%s", db_text(result, 0, API_LOGIN_ATTEMPT_C_PASSWORD_HASH));
    PQclear(result);
    if (wait > 0) {
        problem_set(&rq->problem, PROBLEM_TOO_MANY, "Too many failed logins; try again in %d seconds.", wait);
        rq->problem.retry_after = wait;
    }
    return wait == 0;
}

static void report_wrong(struct request *rq)
{
    log_info("failed login from %s", rq->address);
    problem_set(&rq->problem, PROBLEM_UNAUTHORIZED, "The user name or the password is wrong.");
}

/* Reports 401 for a wrong name or password, after the same work for both. */
static bool login_verify(struct request *rq, const struct login *login, const struct login_user *user)
{
    enum secret_verdict verdict = secret_verify_password(user->hash[0] != '\0' ? user->hash : NULL, login->password);
    if (verdict == SECRET_WRONG) {
        report_wrong(rq);
    } else if (verdict == SECRET_NO_MEMORY) {
        log_error("a password could not be checked: not enough memory");
        problem_set(&rq->problem, PROBLEM_UNAVAILABLE, "The password can't be checked at the moment; try again.");
        rq->problem.retry_after = 1;
    }
    return verdict == SECRET_RIGHT;
}

/* Looks at the password, once a slot is there for it. Without one nothing is counted, and PostgreSQL is not asked: turning a flood
 * of logins away costs next to nothing. */
static bool login_checked(struct request *rq, const struct login *login, struct login_user *user)
{
    int slot = slots_take(slots, api_login_slots(rq->settings), 0, 0);
    if (slot < 0) {
        problem_set(&rq->problem, PROBLEM_UNAVAILABLE, "Too many logins at the same time; try again.");
        rq->problem.retry_after = 1;
        return false;
    }
    bool right = login_allowed(rq, login, user) && login_verify(rq, login, user);
    slots_give(slots, slot);
    return right;
}

/* A login that was good does not fail over its being counted: that is forgotten by itself. */
static void login_succeeded(struct request *rq, const struct login *login, const struct login_user *user)
{
    const char *params[API_LOGIN_SUCCEEDED_P__MAX] = {
        [API_LOGIN_SUCCEEDED_P_USER_ID] = user->id,
        [API_LOGIN_SUCCEEDED_P_USER_NAME] = login->username,
        [API_LOGIN_SUCCEEDED_P_ADDRESS] = login->address,
    };
    if (db_execute(rq->db, API_LOGIN_SUCCEEDED, params, NULL) != DB_OK)
        log_warning("the attempts of a good login could not be taken back: %s", db_message(rq->db));
}

static void login_issue(struct request *rq, const struct login *login, const struct login_user *user)
{
    char token[SECRET_TOKEN_SIZE], prefix[SECRET_TOKEN_PREFIX_SIZE], lifetime[24], hash_text[REQUEST_TOKEN_HASH_SIZE] = "\\x";
    unsigned char hash[SECRET_HASH_SIZE];
    secret_make_token(token, prefix);
    secret_hash_token(token, strlen(token), hash);
    for (size_t i = 0; i < sizeof hash; i++)
        snprintf(hash_text + 2 + 2 * i, 3, "%02x", hash[i]);
    snprintf(lifetime, sizeof lifetime, "%" PRId64, rq->settings->token_lifetime_ms);
    const char *params[API_TOKEN_ISSUE_P__MAX] = {
        [API_TOKEN_ISSUE_P_USER_ID] = user->id,
        [API_TOKEN_ISSUE_P_PASSWORD_CHANGED_AT] = user->changed_at,
        [API_TOKEN_ISSUE_P_TOKEN_HASH] = hash_text,
        [API_TOKEN_ISSUE_P_TOKEN_PREFIX] = prefix,
        [API_TOKEN_ISSUE_P_IDLE_MS] = lifetime,
    };
    PGresult *result;
    enum db_status status = db_run(rq->db, API_TOKEN_ISSUE, params, &result);
    request_db_problem(rq, status);
    if (status == DB_OK && db_bool(result, 0, API_TOKEN_ISSUE_C_ISSUED)) {
        login_succeeded(rq, login, user);
        buf_addf(&rq->reply, "{\"token\":\"%s\",\"username\":", token);
        buf_add_json(&rq->reply, login->username, strlen(login->username));
        buf_addc(&rq->reply, '}');
    } else if (status == DB_OK) {
        report_wrong(rq); /* the password was changed since it was looked at */
    }
    PQclear(result);
    secret_wipe(token, sizeof token);
}

void handle_generate_token(struct request *rq, const PGresult *result)
{
    (void)result;
    const struct login *login = rq->asked;
    struct login_user user = {0};
    if (login_checked(rq, login, &user))
        login_issue(rq, login, &user);
}
