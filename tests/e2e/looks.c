/* Looking at pages, ports, networks and volumes until they are as expected. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/e2e.h"

#define CONTROL_PORT 8901 /* tests/image/control.h */
#define DISTINCT_MAX 16

bool page_answers(double seconds, struct http_call call, long status, const char *type, const char *text)
{
    double end = 0;
    bool good;
    char last[1024], its_type[128];
    call.by_name = call.unix_socket == NULL;
    call.path = call.path != NULL ? call.path : "";
    do {
        struct http_response r = http_do(&call);
        http_header(&r, "Content-Type", its_type, sizeof its_type);
        good = (status == 0 || r.status == status) && (type == NULL || strcmp(its_type, type) == 0) &&
               (text == NULL || strstr(r.body, text) != NULL);
        snprintf(last, sizeof last, "%ld %s %s %.600s", r.status, its_type, r.error, r.body);
        http_free(&r);
    } while (!good && world_waiting(&end, seconds));
    return CHECK(good, "%s%s: not %ld %s \"%s\" after %.0f s: %s", call.base, call.path, status, type != NULL ? type : "",
                 text != NULL ? text : "", seconds, last);
}

bool page_says(double seconds, const char *url, const char *text)
{
    return page_answers(seconds, (struct http_call){.base = url}, 0, NULL, text);
}

/* --- one question, one answer --- */

struct question {
    const char *address; /* of a page, a port, a host */
    int port;
    const char *from; /* reach: the service whose instance asks */
    long ms;
};

static char *ask_page(const struct question *q)
{
    struct http_response r = http_do(&(struct http_call){.base = q->address, .path = "", .by_name = true});
    char *text = strdup(r.status != 0 ? r.body : r.error);
    http_free(&r);
    return text;
}

static char *ask_tcp(const struct question *q)
{
    return net_tcp_ask(q->address, q->port, "ping");
}

static char *ask_reach(const struct question *q)
{
    struct engine_container c;
    char base[64], path[512];
    if (!engine_find(q->from, -1, &c) || c.address[0] == '\0')
        return strdup("nobody who asks");
    snprintf(base, sizeof base, "http://%s:%d", c.address, CONTROL_PORT);
    snprintf(path, sizeof path, "/reach?host=%s&port=%d&ms=%ld", q->address, q->port, q->ms);
    struct http_response r = http_do(&(struct http_call){.base = base, .path = path});
    char *text = strdup(r.status == 200 ? r.body : r.error);
    http_free(&r);
    return text;
}

static bool says(double seconds, const char *text, char *(*ask)(const struct question *), struct question q)
{
    double end = 0;
    bool good;
    char *last = NULL;
    do {
        free(last);
        last = ask(&q);
        good = strstr(last, text) != NULL;
    } while (!good && world_waiting(&end, seconds));
    CHECK(good, "%s%s%s %d: not \"%s\" after %.0f s: %.600s", q.from != NULL ? q.from : "", q.from != NULL ? " to " : "", q.address,
          q.port, text, seconds, last);
    free(last);
    return good;
}

static bool are(double seconds, const char *const *texts, char *(*ask)(const struct question *), struct question q)
{
    double end = 0;
    bool good;
    char seen[2048];
    int n = 0;
    while (texts[n] != NULL)
        n++;
    do {
        char *distinct[DISTINCT_MAX] = {0};
        int found = 0, fitting = 0;
        for (int i = 0; i < 8 * n; i++) {
            char *answer = ask(&q);
            int k = 0;
            while (k < found && strcmp(distinct[k], answer) != 0)
                k++;
            if (k == found && found < DISTINCT_MAX)
                distinct[found++] = answer;
            else
                free(answer);
        }
        seen[0] = '\0';
        for (int k = 0; k < found; k++) {
            size_t len = strlen(seen);
            snprintf(seen + len, sizeof seen - len, "%.200s; ", distinct[k]);
            for (int i = 0; i < n; i++)
                fitting += strstr(distinct[k], texts[i]) != NULL;
            free(distinct[k]);
        }
        good = found == n && fitting == n;
    } while (!good && world_waiting(&end, seconds));
    return CHECK(good, "%s%s%s %d: not %d answers, \"%s\" and so on, after %.0f s: %s", q.from != NULL ? q.from : "",
                 q.from != NULL ? " to " : "", q.address, q.port, n, texts[0], seconds, seen);
}

/* How long one question from inside an instance may take: long when it is the only one; when it is asked again, no longer than it takes
 * to know that a packet went to where nobody is any more. */
static long reach_ms(double seconds)
{
    return seconds > 0 ? 3000 : 20000;
}

bool tcp_says(double seconds, const char *address, int port, const char *text)
{
    return says(seconds, text, ask_tcp, (struct question){.address = address, .port = port});
}

bool reach_says(double seconds, const char *from, const char *host, int port, const char *text)
{
    bool negative = strncmp(text, "no ", 3) == 0; /* then only that is waited for */
    return says(seconds, text, ask_reach, (struct question){.address = host, .port = port, .from = from, .ms = negative ? 2000 : reach_ms(seconds)});
}

char *reach_once(const char *from, const char *host, int port)
{
    return ask_reach(&(struct question){.address = host, .port = port, .from = from, .ms = 2000});
}

bool pages_are(double seconds, const char *url, const char *const *texts)
{
    return are(seconds, texts, ask_page, (struct question){.address = url});
}

bool tcp_are(double seconds, const char *address, int port, const char *const *texts)
{
    return are(seconds, texts, ask_tcp, (struct question){.address = address, .port = port});
}

bool reach_are(double seconds, const char *from, const char *host, int port, const char *const *texts)
{
    return are(seconds, texts, ask_reach, (struct question){.address = host, .port = port, .from = from, .ms = reach_ms(seconds)});
}

bool reached(double seconds, const char *from, const char *to, int expected)
{
    double end = 0;
    int count;
    char seen[1024], expected_text[100];
    snprintf(expected_text, sizeof expected_text, "tcp %s-", to);
    do {
        char hosts[16][48], name[80];
        struct engine_container c;
        int n = engine_find(to, -1, &c) ? engine_addresses(c.id, hosts, 12) : 0;
        snprintf(hosts[n++], sizeof hosts[0], "%s", to);
        snprintf(name, sizeof name, "%s.0", to);
        snprintf(hosts[n++], sizeof hosts[0], "%.47s", name);
        snprintf(hosts[n++], sizeof hosts[0], "the-store");
        count = 0;
        seen[0] = '\0';
        for (int i = 0; i < n; i++) {
            char *answer = ask_reach(&(struct question){.address = hosts[i], .port = 22, .from = from, .ms = expected > 0 ? reach_ms(seconds) : 1000});
            size_t len = strlen(seen);
            count += strncmp(answer, expected_text, strlen(expected_text)) == 0;
            snprintf(seen + len, sizeof seen - len, "%s: %.100s; ", hosts[i], answer);
            free(answer);
        }
    } while (count != expected && world_waiting(&end, seconds));
    return CHECK(count == expected, "from %s to %s: reached %d, not %d, after %.0f s: %s", from, to, count, expected, seconds, seen);
}

static bool count_is(double seconds, const char *what, int (*count)(const char *, struct json_object **), const char *labels, int expected)
{
    double end = 0;
    int n;
    do
        n = count(labels, NULL);
    while (n != expected && world_waiting(&end, seconds));
    return CHECK(n == expected, "%d %s with \"%s\", not %d, after %.0f s", n, what, labels, expected, seconds);
}

bool volumes_are(double seconds, const char *labels, int expected)
{
    return count_is(seconds, "volumes", engine_volumes, labels, expected);
}

bool networks_are(double seconds, const char *labels, int expected)
{
    return count_is(seconds, "networks", engine_networks, labels, expected);
}

/* --- commands --- */

bool exec_says(double seconds, const char *service, int slot, const char *text, const char *const *command)
{
    double end = 0;
    bool good;
    char *last = NULL;
    do {
        struct engine_container c;
        free(last);
        last = engine_find(service, slot, &c) ? engine_exec(c.id, NULL, command) : strdup("no instance runs");
        good = strstr(last, text) != NULL;
    } while (!good && world_waiting(&end, seconds));
    CHECK(good, "%s in %s: not \"%s\" after %.0f s: %.600s", command[0], service, text, seconds, last);
    free(last);
    return good;
}

bool exec_done(const char *service, int slot, const char *const *command)
{
    struct engine_container c;
    int status = -1;
    char *text = engine_find(service, slot, &c) ? engine_exec(c.id, &status, command) : strdup("no instance runs");
    bool done = CHECK(status == 0, "%s in %s: %d %.600s", command[0], service, status, text);
    free(text);
    return done;
}

bool doctor_says(double seconds, const char *text)
{
    double end = 0;
    bool good;
    char *last = NULL;
    do {
        free(last);
        last = world_ctl(NULL, "doctor");
        good = strstr(last, text) != NULL;
    } while (!good && world_waiting(&end, seconds));
    CHECK(good, "doctor: not \"%s\" after %.0f s: %.1500s", text, seconds, last);
    free(last);
    return good;
}
