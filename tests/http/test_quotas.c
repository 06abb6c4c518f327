/* Quotas of namespaces, and requests a second: what is one too many is refused, says why, and changes nothing. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/http/suites.h"
#include "tests/lib/api.h"
#include "tests/lib/world.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define SPACE "other"
#define ROOT "/v1/services/" SPACE

/* skylarkctl quota set of the namespace. */
static void quota_set(const char *words)
{
    int status;
    free(world_ctl(&status, "quota set " SPACE " %s", words));
    CHECK(status == 0, "quota set %s: %d", words, status);
}

static struct answer ask(const char *method, const char *body, const char *path)
{
    return api_as(world.other_token, method, body, "%s", path);
}

static int64_t use_of(const char *quota)
{
    char place[64];
    snprintf(place, sizeof place, "quotas.%s.use", quota);
    struct answer a = ask("GET", NULL, "/v1/quotas/" SPACE "/");
    CHECK(a.status == 200, "%ld %s", a.status, a.raw.body);
    int64_t use = doc_int(a.json, place);
    api_free(&a);
    return use;
}

static void remove_all(void)
{
    free(world_sql("DELETE FROM skylark.quotas WHERE namespace_id IS NOT NULL"));
    /* Their image is nowhere, so they have no containers: nobody has to be waited for. */
    free(world_sql("DELETE FROM skylark.services WHERE namespace_id = (SELECT id FROM skylark.namespaces WHERE name = '" SPACE "')"));
}

#define SERVICE(name, more) "{\"service_name\":\"" name "\",\"image_name\":\"quota/none\",\"instance_size\":\"XS\",\"target_num_instances\":1" more "}"
#define STOPPED(name, more) SERVICE(name, ",\"target_state\":\"STOPPED\"" more)
#define PORT(number, type) "{\"container_port\":" #number ",\"endpoint_type\":\"" type "\"}"

static void test_each(void)
{
    static const struct {
        const char *quota;
        int from, to;
        const char *method, *path, *body;
    } rows[] = {
        {"services", 1, 2, "POST", ROOT "/", STOPPED("more", "")},
        {"instances", 0, 1, "POST", ROOT "/", SERVICE("more", "")},
        {"instances", 0, 1, "PUT", ROOT "/base/start/", ""},
        {"instances", 0, 3, "PUT", ROOT "/base/", "{\"target_state\":\"STARTED\",\"target_num_instances\":3}"},
        {"cpu_millis", 0, 250, "PUT", ROOT "/base/start/", ""},
        {"cpu_millis", 0, 2000, "PUT", ROOT "/base/", "{\"target_state\":\"STARTED\",\"instance_size\":\"L\"}"},
        {"memory_mib", 0, 256, "PUT", ROOT "/base/", "{\"target_state\":\"STARTED\"}"},
        {"public_ports", 0, 2, "PUT", ROOT "/base/", "{\"instance_ports\":[" PORT(80, "tcp-endpoint") "," PORT(81, "tcp-endpoint") "]}"},
        {"volumes", 0, 2, "PUT", ROOT "/base/", "{\"target_num_instances\":2,\"volumes\":[{\"app_volume_dir\":\"/a\",\"size_gb\":3}]}"},
        {"volume_gib", 0, 3, "POST", ROOT "/", STOPPED("more", ",\"volumes\":[{\"app_volume_dir\":\"/a\",\"size_gb\":3}]")},
        {"networks", 1, 2, "POST", ROOT "/", STOPPED("more", ",\"instance_ports\":[" PORT(80, "internal-endpoint") "]")},
        {"networks", 1, 3, "POST", ROOT "/", STOPPED("more", ",\"instance_ports\":[" PORT(80, "internal-endpoint") "],\"linked_to_apps\":{\"base\":\"b\"}")},
        {"domains", 0, 2, "PUT", ROOT "/base/", "{\"custom_domain_name\":\"quota-a.example.com,quota-b.example.com\"}"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char words[64], limit[24];
        remove_all();
        struct answer a = ask("POST", STOPPED("base", ""), ROOT "/");
        CHECK(a.status == 201, "%ld %s", a.status, a.raw.body);
        api_free(&a);
        CHECK(use_of(rows[i].quota) == rows[i].from, "%s: %d before", rows[i].quota, (int)use_of(rows[i].quota));
        snprintf(limit, sizeof limit, " is %d;", rows[i].to - 1);
        snprintf(words, sizeof words, "%s=%d", rows[i].quota, rows[i].to - 1);
        quota_set(words);
        char *before = world_sql("SELECT md5(string_agg(s::text, ' ' ORDER BY s.id)) FROM skylark.services s");
        a = ask(rows[i].method, rows[i].body, rows[i].path);
        check_problem(&a, 403, rows[i].body);
        CHECK(strstr(doc_text(a.json, "type"), "quota-exceeded") != NULL && strstr(doc_text(a.json, "detail"), rows[i].quota) != NULL &&
              strstr(doc_text(a.json, "detail"), limit) != NULL, "%s: %s", rows[i].quota, a.raw.body);
        api_free(&a);
        char *after = world_sql("SELECT md5(string_agg(s::text, ' ' ORDER BY s.id)) FROM skylark.services s");
        CHECK(strcmp(before, after) == 0 && use_of(rows[i].quota) == rows[i].from, "%s: something changed", rows[i].body);
        free(before);
        free(after);
        snprintf(words, sizeof words, "%s=%d", rows[i].quota, rows[i].to);
        quota_set(words);
        a = ask(rows[i].method, rows[i].body, rows[i].path);
        CHECK(a.status == 200 || a.status == 201 || a.status == 204, "%s at the limit: %ld %s", rows[i].body, a.status, a.raw.body);
        api_free(&a);
        CHECK(use_of(rows[i].quota) == rows[i].to, "%s: %d after %s", rows[i].quota, (int)use_of(rows[i].quota), rows[i].body);
    }
    remove_all();
}

/* One namespace can't take all public ports, also of services that do not run. */
static void test_defaults(void)
{
    struct buf_of_ports {
        char text[12000];
        size_t n;
    } body;
    body.n = (size_t)snprintf(body.text, sizeof body.text, "{\"service_name\":\"ports\",\"image_name\":\"quota/none\",\"target_state\":\"STOPPED\",\"instance_ports\":[");
    for (int i = 0; i < 100; i++)
        body.n += (size_t)snprintf(body.text + body.n, sizeof body.text - body.n, "%s{\"container_port\":%d,\"endpoint_type\":\"tcp-endpoint\"}", i > 0 ? "," : "", 1000 + i);
    snprintf(body.text + body.n, sizeof body.text - body.n, "]}");
    remove_all();
    struct answer a = ask("POST", body.text, ROOT "/");
    CHECK(a.status == 201, "%ld %s", a.status, a.raw.body);
    api_free(&a);
    a = ask("POST", STOPPED("more", ",\"instance_ports\":[" PORT(80, "tcp-endpoint") "]"), ROOT "/");
    check_problem(&a, 403, "a port beyond 100");
    api_free(&a);
    a = api("POST", "{\"service_name\":\"unhindered\",\"image_name\":\"quota/none\",\"target_state\":\"STOPPED\",\"instance_ports\":[" PORT(80, "tcp-endpoint") "]}",
            "/v1/services/%s/", world.space);
    CHECK(a.status == 201, "another namespace: %ld %s", a.status, a.raw.body);
    api_free(&a);
    CHECK(api_status("DELETE", NULL, "/v1/services/%s/unhindered/", world.space) / 100 == 2, "cleaning up");
    remove_all();
}

struct taker {
    pthread_t thread;
    int number;
    struct answer answer;
};
static void *take(void *arg)
{
    struct taker *t = arg;
    char body[200];
    snprintf(body, sizeof body, STOPPED("taker-%d", ""), t->number);
    t->answer = ask("POST", body, ROOT "/");
    http_end();
    return NULL;
}

static void test_at_once(void)
{
    static struct taker takers[8];
    int made = 0, refused = 0;
    remove_all();
    quota_set("services=1");
    for (size_t i = 0; i < COUNT(takers); i++) {
        takers[i].number = (int)i;
        pthread_create(&takers[i].thread, NULL, take, &takers[i]);
    }
    for (size_t i = 0; i < COUNT(takers); i++) {
        pthread_join(takers[i].thread, NULL);
        made += takers[i].answer.status == 201;
        refused += takers[i].answer.status == 403;
        api_free(&takers[i].answer);
    }
    CHECK(made == 1 && refused == COUNT(takers) - 1, "%d made, %d refused", made, refused);
    CHECK(use_of("services") == 1, "%d there", (int)use_of("services"));
    remove_all();
}

static void test_shown(void)
{
    remove_all();
    quota_set("services=7 domains=none");
    struct answer a = ask("GET", NULL, "/v1/quotas/" SPACE "/");
    CHECK(a.status == 200 && strcmp(doc_text(a.json, "namespace"), SPACE) == 0, "%ld %s", a.status, a.raw.body);
    CHECK(doc_int(a.json, "quotas.services.limit") == 7 && doc_int(a.json, "quotas.services.use") == 0 && doc_at(a.json, "quotas.domains.limit") == NULL &&
          doc_int(a.json, "quotas.public_ports.limit") == 100 && doc_int(a.json, "quotas.tokens.use") > 0 &&
          doc_int(a.json, "requests_per_second") > 0, "%s", a.raw.body);
    api_free(&a);
    a = api_as(world.other_token, "GET", NULL, "/v1/quotas/%s/", world.space);
    check_problem(&a, 404, "of another namespace");
    api_free(&a);
    a = api_as(world.read_token, "GET", NULL, "/v1/quotas/%s/", world.space);
    CHECK(a.status == 200, "a token that may only read: %ld %s", a.status, a.raw.body);
    api_free(&a);
    remove_all();
}

/* Sends requests from an address (NULL: the real one) until one is refused; returns how many went through. */
static int until_refused(const char *base, const char *address, const char *token, bool other_token_each)
{
    char each[64], retry[16], from[128];
    snprintf(from, sizeof from, "X-Test-Address: %s", address != NULL ? address : "");
    for (int n = 0; n < 60; n++) {
        snprintf(each, sizeof each, "nobody-%d", n);
        struct answer a = api_call_once(&(struct http_call){.base = base, .path = "/v1/auth/profile/", .token = other_token_each ? each : token,
                                                          .headers = {address != NULL ? from : NULL}});
        long status = a.status;
        if (status == 429) {
            check_problem(&a, 429, "too many requests");
            CHECK(http_header(&a.raw, "Retry-After", retry, sizeof retry) == 1 && atoi(retry) > 0, "Retry-After: %s", retry);
            CHECK(strstr(doc_text(a.json, "detail"), "requests a second") != NULL, "%s", a.raw.body);
        } else {
            CHECK(status == 200 || status == 401, "%ld %s %s", status, a.raw.error, a.raw.body);
        }
        api_free(&a);
        if (status == 429)
            return n;
    }
    return 60;
}

/* An nginx of the same configuration, but for its ports and its rates: one request a minute, so that no machine is too slow. */
static void test_rate(void)
{
    static const char base[] = "https://localhost:18443";
    int status;
    char *folder = world_shell(&status,
        "d=$(mktemp -d /tmp/skylark-rate.XXXXXX) && cp -r \"$TEST_VAR/etc/nginx\" \"$d/etc\" && mkdir -p \"$d/run\" && cd \"$d/etc\" && "
        "sed -i -e \"s#$TEST_VAR/etc/nginx#$d/etc#g; s#$TEST_VAR/run/front#$d/run#g; s#$TEST_VAR/log/access.log#$d/access.log#\" "
        "-e 's/:8443/:18443/; s/:8080/:18080/; s/:9180/:19180/; /run.routes/d; /skylark-stream.conf/d' "
        "-e 's/\\(skylark_requests:[^ ]* rate=\\|skylark_addresses:[^ ]* rate=\\)[0-9]*r.s/\\11r\\/m/' "
        "-e 's/\\(zone=skylark_requests burst=\\)[0-9]*/\\14/; s/\\(zone=skylark_addresses burst=\\)[0-9]*/\\116/' *.conf && "
        "sed -i 's/^http {/http { set_real_ip_from 127.0.0.1; real_ip_header X-Test-Address;/' nginx.conf && "
        "chmod 755 \"$d\" && { setsid /usr/sbin/nginx -p \"$d/run\" -c \"$d/etc/nginx.conf\" -e stderr 2>\"$d/error.log\" >/dev/null & } && "
        "for i in $(seq 200); do [ ! -s \"$d/run/nginx.pid\" ] || break; sleep 0.1; done; printf %%s \"$d\"");
    REQUIRE(status == 0, "nginx: %d", status);
    double end = 0;
    bool up = false;
    while (!up && world_waiting(&end, 30)) {
        struct answer a = api_call_once(&(struct http_call){.base = "http://127.0.0.1:19180", .path = "/healthz"});
        up = a.status == 200;
        api_free(&a);
    }
    CHECK(up, "no nginx in %s", folder);
    CHECK(until_refused(base, NULL, world.token, false) == 5, "a token");
    CHECK(until_refused(base, NULL, world.other_token, false) == 5, "another token");
    CHECK(until_refused(base, NULL, NULL, false) == 5, "no token");
    /* Who makes up a token for each request is counted by address: it has had 15 of 17. */
    CHECK(until_refused(base, NULL, NULL, true) == 2, "a new token each time");
    /* An address stands for its network: of IPv6 a /64; of IPv4 itself, mapped into IPv6 as well. */
    static const struct {
        const char *address;
        int let_in;
    } rows[] = {
        {"2001:db8:1:2::1", 5}, {"2001:db8:1:2:3:4:5:6", 0}, {"2001:db8:1:3::1", 5}, {"2001:db8::1", 5}, {"2001:db8:0:0:1:0:0:0", 0},
        {"192.0.2.1", 5}, {"::ffff:192.0.2.1", 0}, {"192.0.2.2", 5}, {"10.10.10.10", 5}, {"13.10.32.9", 5},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int n = until_refused(base, rows[i].address, NULL, false);
        CHECK(n == rows[i].let_in, "%s: %d, not %d", rows[i].address, n, rows[i].let_in);
    }
    char *leaked = world_shell(&status, "kill $(cat '%s/run/nginx.pid'); for i in $(seq 100); do [ -e '%s/run/nginx.pid' ] || break; sleep 0.1; done; "
                               "grep -c -e '%s' '%s/access.log' '%s/error.log' | grep -v ':0$'; rm -rf '%s'", folder, folder, world.token, folder, folder, folder);
    CHECK(leaked[0] == '\0', "a token is in a log: %s", leaked);
    free(leaked);
    free(folder);
}

const struct check_test tests_quotas[] = {
    {"quotas: to the limit and no further", test_each},
    {"quotas: one namespace never takes all public ports", test_defaults},
    {"quotas: of requests at once exactly one passes", test_at_once},
    {"quotas: shown", test_shown},
    {"requests a second: by token, and by address", test_rate},
    {0},
};
