/* The Docker driver's pure parts: the log stream, progress of a pull, the body that makes a container. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "engine/docker_internal.h"
#include "engine/docker_log.h"
#include "engine/docker_pull.h"
#include "engine/docker_usage.h"
#include "tests/unit/suites.h"

static void note_piece(void *context, const struct engine_log_piece *p)
{
    buf_addf(context, "%d %lld [%.*s]%s\n", p->stream, (long long)p->at_ns, (int)p->len, p->data, p->ends_line ? "" : "+");
}

static void add_frame(struct buf *b, int stream, const char *payload)
{
    size_t n = strlen(payload);
    char header[8] = {(char)stream, 0, 0, 0, (char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n};
    buf_add(b, header, sizeof header);
    buf_adds(b, payload);
}

/* However the bytes are cut, the pieces are the same. */
static void test_log_cuts(void)
{
    struct buf bytes = {0};
    add_frame(&bytes, 1, "2026-11-23T14:00:00.000000001Z hello\n");
    add_frame(&bytes, 2, "2026-11-23T14:00:00.000000002Z \n");
    add_frame(&bytes, 1, "2026-11-23T14:00:00.5Z part");
    add_frame(&bytes, 1, "2026-11-23T14:00:00.5Z  rest \n");
    static const char expected[] = "1 1795442400000000001 [hello]\n2 1795442400000000002 []\n"
                                   "1 1795442400500000000 [part]+\n1 1795442400500000000 [ rest ]\n";
    for (size_t step = 1; step <= bytes.len; step++) {
        struct docker_log log = {0};
        struct buf seen = {0};
        struct engine_log_handler handler = {.piece = note_piece, .context = &seen};
        for (size_t at = 0; at < bytes.len; at += step) {
            size_t n = bytes.len - at < step ? bytes.len - at : step;
            CU_ASSERT_EQUAL(docker_log_feed(&log, bytes.data + at, n, &handler), 0);
        }
        CU_ASSERT_STRING_EQUAL(buf_text(&seen), expected);
        docker_log_clear(&log);
        buf_free(&seen);
    }
    buf_free(&bytes);
}

static void test_log_garbage(void)
{
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        {"\x03\0\0\0\0\0\0\x01x", 9},  {"\x01\x01\0\0\0\0\0\x01x", 9}, {"\x01\0\0\0\xff\xff\xff\xff", 8},
        {"\x01\0\0\0\0\0\0\x03" "abc", 11}, {"\x01\0\0\0\0\0\0\x00", 8},  {"HTTP/1.1 200 OK", 15},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct docker_log log = {0};
        struct buf seen = {0};
        struct engine_log_handler handler = {.piece = note_piece, .context = &seen};
        CU_ASSERT_EQUAL(docker_log_feed(&log, rows[i].bytes, rows[i].len, &handler), -1);
        CU_ASSERT_EQUAL(seen.len, 0);
        docker_log_clear(&log);
        buf_free(&seen);
    }
}

static void test_pull(void)
{
    static const struct {
        const char *line;
        bool changed;
        const char *sentence;
    } rows[] = {
        {"{\"status\":\"Pulling from library/nginx\",\"id\":\"1\"}", false, ""},
        {"{\"status\":\"Pulling fs layer\",\"progressDetail\":{},\"id\":\"aaa\"}", true, "0 of 1 layers"},
        {"{\"status\":\"Already exists\",\"progressDetail\":{},\"id\":\"bbb\"}", true, "1 of 2 layers"},
        {"{\"status\":\"Downloading\",\"progressDetail\":{\"current\":1500000,\"total\":3000000},\"id\":\"aaa\"}", true,
         "1 of 2 layers, 1.5 of 3.0 MB"},
        {"{\"status\":\"Downloading\",\"progressDetail\":{\"current\":1500000,\"total\":3000000},\"id\":\"aaa\"}", false,
         "1 of 2 layers, 1.5 of 3.0 MB"},
        {"{\"status\":\"Download complete\",\"id\":\"aaa\"}", true, "1 of 2 layers, 3.0 of 3.0 MB"},
        {"{\"status\":\"Pull complete\",\"id\":\"aaa\"}", true, "2 of 2 layers, 3.0 of 3.0 MB"},
        {"{\"status\":\"Digest: sha256:abc\"}", false, "2 of 2 layers, 3.0 of 3.0 MB"},
        {"not JSON", false, "2 of 2 layers, 3.0 of 3.0 MB"},
        {"[]", false, "2 of 2 layers, 3.0 of 3.0 MB"},
    };
    struct docker_pull pull = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CU_ASSERT_EQUAL(docker_pull_line(&pull, rows[i].line), rows[i].changed);
        CU_ASSERT_STRING_EQUAL(docker_pull_sentence(&pull), rows[i].sentence);
        CU_ASSERT_STRING_EQUAL(docker_pull_error(&pull), "");
    }
    docker_pull_line(&pull, "{\"errorDetail\":{\"message\":\"no\"},\"error\":\"no such tag\"}");
    CU_ASSERT_STRING_EQUAL(docker_pull_error(&pull), "no such tag");
    docker_pull_clear(&pull);
}

static void test_body(void)
{
    static const char *const environment[] = {"A=1 \"x\"", "B=", NULL}, *const command[] = {"sh", "-c", "echo $A", NULL};
    static const char *const options[] = {"size=1G", "o=a=b", NULL};
    static const struct engine_mount mounts[] = {{"vol", "local", options, "/data"}};
    struct engine_container_spec spec = {
        .name = "n", .image = "sha256:abc", .installation = "I", .service = "S", .instance = "U", .namespace_name = "demo",
        .service_name = "web", .generation = 7, .slot = 3, .hostname = "web-3", .environment = environment, .command = command,
        .cpu_millis = 250, .memory_bytes = 1 << 28, .pids_limit = 512, .log_max_bytes = 1000, .log_max_files = 2,
        .mounts = mounts, .n_mounts = 1,
    };
    struct json_object *body = docker_container_body(&spec);
    struct json_object *host = json_object_object_get(body, "HostConfig"), *labels = json_object_object_get(body, "Labels");
    CU_ASSERT_STRING_EQUAL(json_object_get_string(json_object_object_get(body, "Env")), "[ \"A=1 \\\"x\\\"\", \"B=\" ]");
    CU_ASSERT_STRING_EQUAL(json_object_get_string(json_object_object_get(body, "Cmd")), "[ \"sh\", \"-c\", \"echo $A\" ]");
    CU_ASSERT_STRING_EQUAL(docker_text(labels, "skylark.instance"), "U");
    CU_ASSERT_STRING_EQUAL(docker_text(labels, "skylark.generation"), "7");
    CU_ASSERT_EQUAL(json_object_get_int64(json_object_object_get(host, "NanoCpus")), 250000000);
    CU_ASSERT_EQUAL(json_object_get_int64(json_object_object_get(host, "MemorySwap")), 1 << 28);
    CU_ASSERT_STRING_EQUAL(json_object_get_string(json_object_object_get(host, "CapDrop")), "[ \"ALL\" ]");
    CU_ASSERT_STRING_EQUAL(json_object_get_string(json_object_object_get(host, "SecurityOpt")), "[ \"no-new-privileges\" ]");
    const char *added = json_object_get_string(json_object_object_get(host, "CapAdd"));
    CU_ASSERT_PTR_NOT_NULL(strstr(added, "CHOWN"));
    CU_ASSERT_PTR_NULL(strstr(added, "NET_RAW"));
    CU_ASSERT_PTR_NULL(strstr(added, "SYS_ADMIN"));
    CU_ASSERT_PTR_NOT_NULL(strstr(json_object_get_string(json_object_object_get(host, "Mounts")), "\"Target\": \"\\/data\""));
    CU_ASSERT_PTR_NULL(json_object_object_get(host, "Privileged"));
    json_object_put(body);
    spec.command = NULL;
    body = docker_container_body(&spec);
    CU_ASSERT_FALSE(json_object_object_get_ex(body, "Cmd", NULL));
    json_object_put(body);
}

static void test_filter(void)
{
    struct buf b = {0};
    docker_add_label_filter(&b, "i", "skylark.service", "s&x=\"1\"", "");
    CU_ASSERT_STRING_EQUAL(buf_text(&b), "%7B%22label%22%3A%5B%22skylark.installation%3Di%22%2C%22skylark.service%3Ds%26x%3D%5C%221"
                                         "%5C%22%22%5D%7D");
    buf_free(&b);
}

/* What a container has used, as engines with cgroup v1 and v2 put it. */
static void test_usage(void)
{
    static const struct {
        const char *text;
        enum engine_status status;
        int64_t cpu, memory, received, received_errors, sent_errors;
    } rows[] = {
        {"{\"read\":\"2026-11-23T14:00:00.5Z\",\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":7},\"online_cpus\":2},\"memory_stats\":"
         "{\"usage\":100,\"limit\":200,\"stats\":{\"cache\":60,\"total_inactive_file\":30,\"total_active_file\":20,\"inactive_file\":1}},"
         "\"networks\":{\"eth0\":{\"rx_bytes\":3,\"tx_bytes\":4,\"rx_errors\":1},\"eth1\":{\"rx_bytes\":5,\"tx_bytes\":6,\"rx_errors\":2,\"tx_errors\":9}}}",
         ENGINE_OK, 7, 50, 8, 3, 9},
        {"{\"read\":\"2026-11-23T14:00:00.5Z\",\"cpu_stats\":{\"cpu_usage\":{\"total_usage\":7}},\"memory_stats\":"
         "{\"usage\":100,\"limit\":200,\"stats\":{\"inactive_file\":30,\"active_file\":20,\"shmem\":9}}}", ENGINE_OK, 7, 50, 0, 0, 0},
        {"{\"read\":\"2026-11-23T14:00:00.5Z\",\"cpu_stats\":{},\"memory_stats\":{\"usage\":10,\"limit\":200,\"stats\":"
         "{\"inactive_file\":30}}}", ENGINE_OK, 0, 0, 0, 0, 0},
        {"{\"read\":\"0001-01-01T00:00:00Z\",\"cpu_stats\":{},\"memory_stats\":{}}", ENGINE_NOT_FOUND, 0, 0, 0, 0, 0},
        {"{\"read\":\"2026-11-23T14:00:00.5Z\",\"cpu_stats\":{},\"memory_stats\":{}}", ENGINE_NOT_FOUND, 0, 0, 0, 0, 0},
        {"{\"read\":\"yesterday\",\"cpu_stats\":{},\"memory_stats\":{\"limit\":1}}", ENGINE_FAILED, 0, 0, 0, 0, 0},
        {"{}", ENGINE_FAILED, 0, 0, 0, 0, 0}, {"", ENGINE_FAILED, 0, 0, 0, 0, 0}, {"[1]", ENGINE_FAILED, 0, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct engine_usage u;
        CU_ASSERT_EQUAL(docker_usage_read(rows[i].text, &u), rows[i].status);
        if (rows[i].status != ENGINE_OK)
            continue;
        CU_ASSERT_EQUAL(u.at_ns, 1795442400500000000);
        CU_ASSERT_EQUAL(u.cpu_ns, rows[i].cpu);
        CU_ASSERT_EQUAL(u.memory_bytes, rows[i].memory);
        CU_ASSERT_EQUAL(u.memory_limit_bytes, 200);
        CU_ASSERT_EQUAL(u.received_bytes, rows[i].received);
        CU_ASSERT_EQUAL(u.received_errors, rows[i].received_errors);
        CU_ASSERT_EQUAL(u.sent_errors, rows[i].sent_errors);
    }
}

void suite_docker(void)
{
    CU_pSuite suite = CU_add_suite("docker", NULL, NULL);
    CU_add_test(suite, "log stream, cut anywhere", test_log_cuts);
    CU_add_test(suite, "log stream, garbage", test_log_garbage);
    CU_add_test(suite, "progress of a pull", test_pull);
    CU_add_test(suite, "what a container may", test_body);
    CU_add_test(suite, "filters are encoded", test_filter);
    CU_add_test(suite, "what a container has used", test_usage);
}
