/* Every parser of what comes from outside, fed with seeds that are cut, flipped and spliced in a repeatable way: none may
 * read or write where it must not (SAN=1 sees that), none may run for ever, and what they promise of their results holds. */
#include <CUnit/CUnit.h>
#include <json-c/json.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/shellwords.h"
#include "common/utf8.h"
#include "engine/docker_log.h"
#include "engine/docker_pull.h"
#include "engine/docker_usage.h"
#include "fcgi/form.h"
#include "fcgi/json_read.h"
#include "fcgi/service_fields.h"
#include "tests/unit/suites.h"

#define ROUNDS 20000
#define INPUT_MAX 512

static uint64_t state;

static uint64_t next_random(void)
{
    /* xorshift: the same inputs on every machine, in every run */
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static size_t mutate(const char *const *seeds, size_t n_seeds, char *out)
{
    const char *seed = seeds[next_random() % n_seeds], *other = seeds[next_random() % n_seeds];
    size_t len = strlen(seed);
    memcpy(out, seed, len);
    for (uint64_t changes = next_random() % 6; changes > 0; changes--) {
        size_t at = len > 0 ? next_random() % len : 0;
        switch (next_random() % 5) {
        case 0:
            if (len > 0)
                out[at] = (char)next_random();
            break;
        case 1:
            len = at;
            break;
        case 2:
            if (len > 0)
                out[at] ^= (char)(1 << next_random() % 8);
            break;
        case 3: {
            size_t from = next_random() % (strlen(other) + 1), n = strlen(other) - from;
            if (at + n <= INPUT_MAX) {
                memcpy(out + at, other + from, n);
                len = at + n > len ? at + n : len;
            }
            break;
        }
        default:
            if (len < INPUT_MAX)
                out[len++] = "{}[]\",:\\%&=-\r\n\0 '"[next_random() % 17];
        }
    }
    return len;
}

typedef void fuzz_target(const char *data, size_t len);

/* The input is handed over in memory of exactly its size, so that one byte too many is seen. */
static void fuzz(fuzz_target *target, const char *const *seeds, size_t n_seeds)
{
    char input[2 * INPUT_MAX];
    state = UINT64_C(88172645463325252);
    for (int i = 0; i < ROUNDS; i++) {
        size_t len = mutate(seeds, n_seeds, input);
        char *exact = malloc(len > 0 ? len : 1);
        memcpy(exact, input, len);
        target(exact, len);
        free(exact);
    }
}
#define FUZZ(target, ...)                                                                                               \
    do {                                                                                                                \
        static const char *const seeds[] = {__VA_ARGS__};                                                               \
        fuzz(target, seeds, sizeof seeds / sizeof seeds[0]);                                                            \
    } while (0)

#define FAULTS_MAX 50

static bool ignore_fault(void *context, const char *path, const char *detail)
{
    (void)path, (void)detail;
    return ++*(int *)context < FAULTS_MAX;
}

/* What is taken, json-c takes as well, and the table of fields can judge. */
static void target_json(const char *data, size_t len)
{
    struct json_object *json;
    int told = 0, faults = json_read(data, len, 60, ignore_fault, &told, &json);
    if (faults != told || faults > FAULTS_MAX)
        CU_FAIL("faults are counted otherwise than told");
    if (faults > 0 && json != NULL)
        CU_FAIL("a value with faults");
    if (faults > 0)
        return;
    char *text = strndup(data, len);
    struct json_object *other = json_tokener_parse(text);
    if ((json == NULL) != (other == NULL))
        CU_FAIL("json-c refuses what is taken");
    json_object_put(other);
    if (json_object_is_type(json, json_type_object)) {
        struct service_place place = {"local", "apps.example.org", "localhost", "sky.example.org"};
        struct problem problem = {0};
        struct json_object *checked = fields_check(service_fields, service_n_fields, json, FIELDS_CREATE, &problem);
        service_fields_check_rules(checked, "demo", NULL, &problem);
        service_fields_check_place(checked, &place, &problem);
        json_object_put(checked);
        problem_free(&problem);
    }
    json_object_put(json);
    free(text);
}

static void target_form(const char *data, size_t len)
{
    struct form form = {0};
    const char *fault = NULL;
    int result = form_parse_urlencoded(&form, data, len, &fault);
    if ((result != 0) != (fault != NULL))
        CU_FAIL("a fault without a reason, or a reason without a fault");
    form_free(&form);
    result = form_parse_multipart(&form, "multipart/form-data; boundary=B", data, len, &fault);
    for (size_t i = 0; i < form.n; i++) {
        if (!utf8_valid(form.fields[i].value, strlen(form.fields[i].value)))
            CU_FAIL("a value is no UTF-8");
    }
    form_free(&form);
    char *text = strndup(data, len);
    result = form_parse_multipart(&form, text, "x", 1, &fault);
    if (result == 0)
        CU_FAIL("one byte is no multipart body");
    form_free(&form);
    free(text);
}

static void target_words(const char *data, size_t len)
{
    char *text = strndup(data, len), **words;
    const char *fault;
    size_t n = 0;
    int result = shellwords_split(text, &words, &n, &fault);
    if ((result == 0) != (words != NULL) || (result == 0) != (fault == NULL))
        CU_FAIL("result and out-parameters differ");
    shellwords_free(words);
    free(text);
}

static void target_time(const char *data, size_t len)
{
    int64_t ns, again;
    char text[CLOCK_ISO_SIZE];
    if (clock_parse_rfc3339(data, len, &ns) != 0)
        return;
    clock_format_iso(ns, text);
    if (clock_parse_rfc3339(text, strlen(text), &again) != 0 || ns - again < 0 || ns - again >= 1000000)
        CU_FAIL("a time does not survive being written");
}

static void count_piece(void *context, const struct engine_log_piece *piece)
{
    *(size_t *)context += piece->len;
}

static void target_log(const char *data, size_t len)
{
    struct docker_log log = {0};
    size_t seen = 0;
    struct engine_log_handler handler = {.piece = count_piece, .context = &seen};
    size_t half = len / 2;
    if (docker_log_feed(&log, data, half, &handler) == 0 && docker_log_feed(&log, data + half, len - half, &handler) == 0 &&
        seen > len)
        CU_FAIL("more came out than went in");
    docker_log_clear(&log);
}

static void target_utf8(const char *data, size_t len)
{
    struct buf out = {0};
    utf8_add_storable(&out, data, len);
    if (!utf8_valid(buf_text(&out), out.len) || memchr(buf_text(&out), '\0', out.len) != NULL)
        CU_FAIL("not storable");
    buf_free(&out);
}

static void target_pull(const char *data, size_t len)
{
    struct docker_pull pull = {0};
    char *text = strndup(data, len);
    docker_pull_line(&pull, text);
    free(text);
    docker_pull_clear(&pull);
}

static void target_usage(const char *data, size_t len)
{
    struct engine_usage u;
    char *text = strndup(data, len);
    if (docker_usage_read(text, &u) == ENGINE_OK && (u.cpu_ns < 0 || u.memory_bytes < 0 || u.received_bytes < 0 || u.sent_bytes < 0))
        CU_FAIL("a counter below zero");
    free(text);
}

static void test_json(void)
{
    FUZZ(target_json,
         "{\"service_name\":\"web\",\"image_name\":\"nginx\",\"target_num_instances\":\"2\",\"instance_envvars\":{\"A\":\"1\",\"B\":2}}",
         "{\"service_name\":\"a\",\"image_name\":\"b\",\"volumes\":[{\"app_volume_dir\":\"/a\",\"size_gb\":1}],\"instance_ports\":[{\"container_port\":22}]}",
         "{\"autoscaling_config\":\"{\\\"metric_name\\\":\\\"CPU_UTILIZATION\\\",\\\"upper_threshold\\\":0.6}\",\"linked_to_apps\":{\"a\":\"b\"}}",
         "[1,-2.5e10,true,false,null,\"\\u00e9\\ud83d\\ude00\\n\"]", "{\"a\":{\"b\":[{\"c\":{}}]},\"a\":1}", "\"\\u0000\"", "null");
}

static void test_forms(void)
{
    FUZZ(target_form, "username=demo&password=p%20w%26&x", "a=%c3%a9+b&&=",
         "--B\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\ndemo\r\n--B\r\nContent-Disposition: form-data; "
         "name=password\r\n\r\nx\r\n--B--\r\n",
         "--B\r\n\r\n\r\n--B--", "multipart/form-data; boundary=\"q\"");
}

static void test_words(void)
{
    FUZZ(target_words, "sh -c 'echo \"a b\"' \\x \"$y\\\"\"", "a\\\nb ''", "\"\\", "'");
}

static void test_times(void)
{
    FUZZ(target_time, "2026-11-23T13:55:06.472123456Z", "1970-01-01T00:00:00+23:59", "2262-04-11T23:47:16.854Z", "1677-09-21T00:12:44Z");
}

static void test_logs(void)
{
    /* A frame's header has zeros, which seeds as texts can't: they are put in by the mutations, and here. */
    static const char frame[] = "\x01\0\0\0\0\0\0\x24" "2026-11-23T14:00:00.000000001Z hello\n";
    target_log(frame, sizeof frame - 1);
    FUZZ(target_log, "\x01", "\x02" "2026-11-23T14:00:00Z x\n", "HTTP/1.1 200 OK\r\n");
    for (size_t n = 0; n < sizeof frame; n++)
        target_log(frame, n);
}

static void test_bytes(void)
{
    FUZZ(target_utf8, "plain", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xff\xfe\x80", "\xed\xa0\x80");
    FUZZ(target_pull, "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":1,\"total\":2},\"id\":\"a\"}", "{\"error\":\"x\"}");
    FUZZ(target_usage,
         "{\"read\":\"2026-11-23T14:00:00.5Z\",\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":7},\"online_cpus\":2},\"memory_stats\":"
         "{\"usage\":100,\"limit\":200,\"stats\":{\"total_inactive_file\":30}},\"networks\":{\"eth0\":{\"rx_bytes\":9223372036854775807}}}");
}

void suite_fuzz(void)
{
    CU_pSuite suite = CU_add_suite("fuzz", NULL, NULL);
    CU_add_test(suite, "JSON and fields", test_json);
    CU_add_test(suite, "forms", test_forms);
    CU_add_test(suite, "words of commands", test_words);
    CU_add_test(suite, "times", test_times);
    CU_add_test(suite, "the engine's log stream", test_logs);
    CU_add_test(suite, "bytes and progress", test_bytes);
}
