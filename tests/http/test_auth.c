/* Logging in, who the token is, and the limits on guessing. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/http/suites.h"
#include "tests/lib/api.h"
#include "tests/lib/world.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct answer login_once(const char *type, const char *body, const char *slash)
{
    char path[64];
    snprintf(path, sizeof path, "/v1/generate-api-token%s", slash);
    return api_call_once(&(struct http_call){.method = "POST", .path = path, .type = type, .body = body});
}

static struct answer login(const char *type, const char *body, const char *slash)
{
    char path[64];
    snprintf(path, sizeof path, "/v1/generate-api-token%s", slash);
    return api_call(&(struct http_call){.method = "POST", .path = path, .type = type, .body = body});
}

static void test_forms(void)
{
    char json[512], form[512], multipart[1024];
    snprintf(json, sizeof json, "{\"username\":\"madams\",\"password\":\"%s\"}", world.password);
    snprintf(form, sizeof form, "username=madams&password=%s", world.password);
    snprintf(multipart, sizeof multipart,
             "--XX\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nmadams\r\n--XX\r\n"
             "Content-Disposition: form-data; name=\"password\"\r\n\r\n%s\r\n--XX--\r\n", world.password);
    const struct {
        const char *type, *body, *slash;
    } rows[] = {
        {"application/json", json, "/"}, {"application/json", json, ""}, {"application/x-www-form-urlencoded", form, "/"},
        {"multipart/form-data; boundary=XX", multipart, "/"}, {"multipart/form-data; boundary=\"XX\"", multipart, ""},
    };
    char before[128] = "";
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer a = login(rows[i].type, rows[i].body, rows[i].slash);
        CHECK(a.status == 200 && json_object_object_length(a.json) == 2, "%s: %ld %s", rows[i].type, a.status, a.raw.body);
        const char *token = doc_text(a.json, "token");
        CHECK(strcmp(doc_text(a.json, "username"), "madams") == 0 && strlen(token) >= 43, "%s: %s", rows[i].type, a.raw.body);
        CHECK(strcmp(token, before) != 0, "%s: the same token twice", rows[i].type);
        snprintf(before, sizeof before, "%s", token);
        struct answer who = api_as(token, "GET", NULL, "/v1/auth/profile/");
        CHECK(who.status == 200 && strstr(who.raw.body, "madams") != NULL, "%s: %ld %s", rows[i].type, who.status, who.raw.body);
        api_free(&who);
        api_free(&a);
    }
    char *plain = world_sql("SELECT count(*) FROM skylark.api_tokens t WHERE t::text LIKE '%%%s%%'", before);
    CHECK(strcmp(plain, "0") == 0, "the token is stored as it is in %s rows", plain);
    free(plain);
}

static void test_profile(void)
{
    struct answer a = api("GET", NULL, "/v1/auth/profile/");
    CHECK(a.status == 200 && strcmp(doc_text(a.json, "username"), "madams") == 0, "%ld %s", a.status, a.raw.body);
    CHECK(doc_len(a.json, "namespaces") == 1 && strcmp(doc_text(a.json, "namespaces[0]"), "madams") == 0 &&
              strstr(a.raw.body, "nobody") == NULL, "%s", a.raw.body);
    api_free(&a);
    a = api_as(world.member_token, "GET", NULL, "/v1/auth/profile/");
    CHECK(doc_len(a.json, "namespaces") == 2 && strcmp(doc_text(a.json, "namespaces[0]"), "madams") == 0, "%s", a.raw.body);
    api_free(&a);
}

static void test_bad(void)
{
    static const struct {
        const char *type, *body;
        long status;
        const char *fields;
    } rows[] = {
        {"application/json", "{}", 400, "username password"}, {"application/json", "{\"username\":1,\"password\":[]}", 400, "*username password"},
        {"application/json", "{\"username\":\"madams\"}", 400, "password"}, {"application/json", "[]", 400, "*"},
        {"application/json", "{\"username\":\"madams\",\"password\":\"x\",\"more\":1}", 400, "more"},
        {"application/json", "{", 400, "*"}, {"application/x-www-form-urlencoded", "username=madams", 400, "password"},
        {"application/x-www-form-urlencoded", "username=%ff&password=x", 400, "*"}, {"text/plain", "x", 415, "*"},
        {"application/x-www-form-urlencoded", "username=madams&username=other&password=x", 400, "*"},
        {"multipart/form-data", "x", 400, "*"}, {"multipart/form-data; boundary=XX", "--XX--\r\n", 400, "*"},
        {"multipart/form-data; boundary=XX", "--YY\r\n\r\n", 400, "*"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer a = login(rows[i].type, rows[i].body, "/");
        check_problem(&a, rows[i].status, rows[i].body);
        CHECK(doc_names(a.json, rows[i].fields), "%s: not \"%s\": %s", rows[i].body, rows[i].fields, a.raw.body);
        api_free(&a);
    }
}

/* Revoked, expired and disabled: no longer valid. */
static void test_ended(void)
{
    int status;
    char *token = world_shell(&status, "\"$B/skylarkctl\" -c \"$TEST_VAR/etc/ctl.conf\" token create reader --days 1");
    CHECK(status == 0, "token create: %d", status);
    struct answer a = api_as(token, "GET", NULL, "/v1/auth/profile/");
    CHECK(a.status == 200, "%ld", a.status);
    api_free(&a);
    char *changed = world_sql("UPDATE skylark.api_tokens SET expires_at = created_at + interval '1 microsecond' "
                              "WHERE token_prefix = substr('%s', 5, 8) RETURNING 'changed'", token);
    CHECK(strcmp(changed, "changed") == 0, "%s: %s", token, changed);
    free(changed);
    a = api_as(token, "GET", NULL, "/v1/auth/profile/");
    check_problem(&a, 401, "expired");
    api_free(&a);
    free(token);
    free(world_shell(&status, "\"$B/skylarkctl\" -c \"$TEST_VAR/etc/ctl.conf\" user disable reader"));
    CHECK(status == 0, "user disable: %d", status);
    a = api_as(world.member_token, "GET", NULL, "/v1/auth/profile/");
    check_problem(&a, 401, "disabled");
    api_free(&a);
    free(world_shell(&status, "\"$B/skylarkctl\" -c \"$TEST_VAR/etc/ctl.conf\" user enable reader"));
    a = api_as(world.member_token, "GET", NULL, "/v1/auth/profile/");
    CHECK(a.status == 200, "enabled again: %ld", a.status);
    api_free(&a);
}

static void test_guessing(void)
{
    char retry[16];
    bool limited = false;
    for (int i = 0; i < 8; i++) {
        struct answer a = login("application/json", "{\"username\":\"guessed\",\"password\":\"wrong\"}", "/");
        CHECK(a.status == 401 || a.status == 429, "%ld %s", a.status, a.raw.body);
        CHECK(i >= 5 || a.status == 401, "limited at attempt %d already", i + 1);
        check_problem(&a, a.status, "wrong password");
        if (a.status == 429) {
            CHECK(http_header(&a.raw, "Retry-After", retry, sizeof retry) == 1 && atoi(retry) > 0, "Retry-After: %s", retry);
            limited = true;
        }
        api_free(&a);
    }
    CHECK(limited, "eight wrong passwords and no 429");
    /* The limit is on one name: the right password of another still goes. */
    char json[512];
    snprintf(json, sizeof json, "{\"username\":\"madams\",\"password\":\"%s\"}", world.password);
    struct answer a = login("application/json", json, "/");
    CHECK(a.status == 200, "another user: %ld %s", a.status, a.raw.body);
    api_free(&a);
    /* A name that does not exist answers as one that does. */
    struct answer wrong = login("application/json", "{\"username\":\"madams\",\"password\":\"wrong\"}", "/");
    struct answer none = login("application/json", "{\"username\":\"nobody-here\",\"password\":\"wrong\"}", "/");
    CHECK(wrong.status == 401 && none.status == 401, "%ld, %ld", wrong.status, none.status);
    CHECK(strcmp(doc_text(wrong.json, "detail"), doc_text(none.json, "detail")) == 0, "%s, %s", wrong.raw.body, none.raw.body);
    api_free(&wrong);
    api_free(&none);
}

static void *guess(void *arg)
{
    char body[64];
    struct answer *a = arg;
    snprintf(body, sizeof body, "{\"username\":\"guess-%p\",\"password\":\"wrong\"}", arg);
    *a = api_call_once(&(struct http_call){.method = "POST", .base = world.internal_url, .path = "/v1/generate-api-token/", .body = body,
                                           .timeout_ms = 120000});
    http_end();
    return NULL;
}

/* More guesses at once than there are slots: the rest is told to come again, and no more are let in than one address may. By the
 * internal server, where nginx counts none. */
static void test_slots(void)
{
    static struct answer answers[80];
    pthread_t threads[COUNT(answers)];
    char retry[16];
    int wrong = 0, busy = 0;
    free(world_sql("DELETE FROM skylark.login_failures"));
    for (size_t i = 0; i < COUNT(answers); i++)
        pthread_create(&threads[i], NULL, guess, &answers[i]);
    CHECK(api_status("GET", NULL, "/v1/auth/profile/") == 200, "another route, meanwhile");
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct answer *a = &answers[i];
        pthread_join(threads[i], NULL);
        CHECK(a->status == 401 || a->status == 429 || a->status == 503, "%ld %s %s", a->status, a->raw.error, a->raw.body);
        check_problem(a, a->status, "a guess");
        CHECK(a->status == 401 || (http_header(&a->raw, "Retry-After", retry, sizeof retry) == 1 && atoi(retry) > 0), "%ld: no Retry-After", a->status);
        wrong += a->status == 401;
        busy += a->status == 503;
        api_free(a);
    }
    CHECK(busy > 0, "%zu passwords were looked at at once", COUNT(answers));
    CHECK(wrong > 0 && wrong <= 20, "%d guesses of one address were let in", wrong);
    free(world_sql("DELETE FROM skylark.login_failures"));
}

/* A new password ends the tokens of the old one, unless that is not wanted. */
static void test_new_password(void)
{
    int status;
    char body[256];
    snprintf(body, sizeof body, "{\"username\":\"other\",\"password\":\"%s-other\"}", world.password);
    struct answer a = login("application/json", body, "/");
    char *token = strdup(doc_text(a.json, "token"));
    CHECK(a.status == 200, "%ld %s", a.status, a.raw.body);
    api_free(&a);
    free(world_shell(&status, "printf '%%s\\n' '%s-new' | \"$B/skylarkctl\" -c \"$TEST_VAR/etc/ctl.conf\" user password other --keep-tokens", world.password));
    CHECK(status == 0, "user password: %d", status);
    a = api_as(token, "GET", NULL, "/v1/auth/profile/");
    CHECK(a.status == 200, "not kept: %ld", a.status);
    api_free(&a);
    a = login("application/json", body, "/");
    check_problem(&a, 401, "the old password");
    api_free(&a);
    /* Those that all tests use come back afterwards. */
    char *kept = world_sql("SELECT string_agg(id::text, ',') FROM skylark.api_tokens WHERE revoked_at IS NULL AND NOT by_login");
    free(world_shell(&status, "printf '%%s\\n' '%s-other' | \"$B/skylarkctl\" -c \"$TEST_VAR/etc/ctl.conf\" user password other", world.password));
    CHECK(status == 0, "user password: %d", status);
    a = api_as(token, "GET", NULL, "/v1/auth/profile/");
    check_problem(&a, 401, "a token of the old password");
    api_free(&a);
    free(world_sql("UPDATE skylark.api_tokens SET revoked_at = NULL WHERE id IN (%s)", kept));
    a = login("application/json", body, "/");
    CHECK(a.status == 200, "the new password: %ld %s", a.status, a.raw.body);
    api_free(&a);
    free(kept);
    free(token);
}

/* nginx's own limit: a burst of logins from one address, whatever the names. */
static void test_burst(void)
{
    int refused = 0;
    char retry[16];
    for (int i = 0; i < 40; i++) {
        struct answer a = login_once("application/json", "{}", "/");
        if (a.status == 429) {
            check_problem(&a, 429, "burst");
            CHECK(http_header(&a.raw, "Retry-After", retry, sizeof retry) == 1 && atoi(retry) > 0, "Retry-After: %s", retry);
            refused++;
        }
        api_free(&a);
    }
    CHECK(refused > 0, "none of 40 refused");
    struct answer after = login("application/json", "{}", "/");
    check_problem(&after, 400, "after the burst");
    api_free(&after);
    free(world_sql("DELETE FROM skylark.login_failures"));
}

const struct check_test tests_auth[] = {
    {"tokens for JSON, urlencoded and multipart", test_forms}, {"profile", test_profile}, {"expired and disabled", test_ended},
    {"guessing a password: 429", test_guessing}, {"more logins at once than slots: 503", test_slots},
    {"a new password ends the tokens", test_new_password}, {"bad logins", test_bad}, {"a burst of logins: 429", test_burst}, {0},
};
