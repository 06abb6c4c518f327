/* router: what becomes of routes in nginx's configuration, and who still holds connections. */
#include <CUnit/CUnit.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "router/drain.h"
#include "router/render.h"
#include "tests/unit/suites.h"

#define TEMPLATES "nginx/skylark-routes.conf.in"
#define ID "00000000-0000-1000-8000-000000000001"
#define TAKEN 20666

static char folder[64]; /* for files of this suite */

static int folder_make(void)
{
    snprintf(folder, sizeof folder, "/tmp/skylark-router-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static void file_write(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_TRUE(fputs(text, file) >= 0 && fclose(file) == 0);
}

static int folder_remove(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) != 0;
}

static bool port_free(void *context, const char *protocol, int port)
{
    (void)context, (void)protocol;
    return port != TAKEN;
}

/* Renders endpoints (the elements of a JSON array) with the project's own templates. */
static void render(const char *endpoints, struct render_output *out)
{
    struct render_templates templates;
    struct buf fault = {0}, routes = {0};
    CU_ASSERT_EQUAL_FATAL(render_load(TEMPLATES, &templates, &fault), 0);
    buf_addf(&routes, "{\"base_domain\": \"apps.example.com\", \"draining\": [], \"endpoints\": [%s]}", endpoints);
    struct json_object *object = json_tokener_parse(buf_text(&routes));
    CU_ASSERT_PTR_NOT_NULL_FATAL(object);
    struct render_options options = {.templates = &templates, .certificate = "/own/cert", .certificate_key = "/own/key",
                                     .certificates = folder, .port_free = port_free};
    *out = (struct render_output){0};
    CU_ASSERT_EQUAL(render_routes(&options, object, out), 0);
    json_object_put(object);
    buf_free(&routes);
    buf_free(&fault);
    render_free(&templates);
}

#define HTTP(name, custom, servers)                                                                                    \
    "{\"service\": \"" ID "\", \"owner\": \"a/web\", \"type\": \"http\", \"port\": 80, \"protocol\": \"tcp\", "        \
    "\"service_port\": null, \"name\": \"" name "\", \"custom\": [" custom "], \"servers\": [" servers "]}"
#define STREAM(protocol, port, servers)                                                                                \
    "{\"service\": \"" ID "\", \"owner\": \"a/db\", \"type\": \"stream\", \"port\": 22, \"protocol\": \"" protocol     \
    "\", \"service_port\": " port ", \"name\": \"x\", \"custom\": [], \"servers\": [" servers "]}"

static bool has(const struct buf *text, const char *part)
{
    return strstr(buf_text(text), part) != NULL;
}

static void test_http(void)
{
    struct render_output out;
    render(HTTP("web-a.apps.example.com", "\"shop.example.org\"", "\"10.0.0.2:80\", \"[fd00::2]:80\""), &out);
    CU_ASSERT_TRUE(has(&out.http, "upstream \"" ID "-80\" {"));
    CU_ASSERT_TRUE(has(&out.http, "server \"10.0.0.2:80\" ") && has(&out.http, "server \"[fd00::2]:80\" "));
    CU_ASSERT_TRUE(has(&out.http, " \"\\\\web-a.apps.example.com\" \"" ID "-80\";\n") && has(&out.http, " \"\\\\shop.example.org\" \"" ID "-80\";\n"));
    CU_ASSERT_TRUE(has(&out.http, "server_name \"*.apps.example.com\"\n        \"shop.example.org\";"));
    CU_ASSERT_TRUE(has(&out.http, out.version));
    CU_ASSERT_EQUAL(out.stream.len, 0);
    CU_ASSERT_TRUE(out.endpoints == 1 && out.servers == 2 && out.faults == NULL);
    CU_ASSERT_FALSE(has(&out.http, "{{"));
    render_output_free(&out);
}

static void test_http_none(void)
{
    struct render_output out;
    render(HTTP("web-a.apps.example.com", "", ""), &out);
    CU_ASSERT_FALSE(has(&out.http, "\nupstream "));
    CU_ASSERT_TRUE(has(&out.http, " \"\\\\web-a.apps.example.com\" \"none\";\n"));
    render_output_free(&out);
}

static void test_stream(void)
{
    struct render_output out;
    render(STREAM("tcp", "20001", "\"10.0.0.2:22\"") "," STREAM("udp", "20001", "\"10.0.0.2:22\"") "," STREAM(
               "tcp", "20002", "") "," STREAM("tcp", "20666", "\"10.0.0.2:22\""), &out);
    CU_ASSERT_TRUE(has(&out.stream, "upstream \"skylark-tcp-20001\" {") && has(&out.stream, "upstream \"skylark-udp-20001\" {"));
    CU_ASSERT_TRUE(has(&out.stream, "20001\" udp"));
    CU_ASSERT_FALSE(has(&out.stream, "20002") || has(&out.stream, "20666"));
    CU_ASSERT_STRING_EQUAL(buf_text(&out.ports), "tcp 20001\nudp 20001\n");
    CU_ASSERT_TRUE(strstr(json_object_to_json_string(out.faults), "port 22 is not served: another program holds the public port 20666\\/tcp") != NULL);
    CU_ASSERT_EQUAL(out.endpoints, 2);
    render_output_free(&out);
}

/* Whatever got past the API and the checks of the tables: it is left out and named, and the others are served. */
static void test_injection(void)
{
    static const char *const evil[] = {
        HTTP("a.apps.example.com; } server { listen 81", "", ""),
        HTTP("web-a.apps.example.com", "\"x.org\\nevil\"", ""),
        HTTP("web-a.apps.example.com", "\"$host\"", ""),
        HTTP("web-a.apps.example.com", "\"~^(.*)$\"", ""),
        HTTP("web-a.apps.example.com", "\"*.x.org\"", ""),
        HTTP("web-a.apps.example.com", "\"\"", ""),
        HTTP("web-a.apps.example.com", "", "\"10.0.0.2:80 down\""),
        HTTP("{{KEY}}", "", ""),
        HTTP("web-a.apps.example.com", "\"include\"", ""),
        HTTP("web-a.apps.example.com", "\".x.org\"", ""),
        HTTP("web-a.apps.example.com", "", "\"some.host:80\""),
        HTTP("web-a.apps.example.com", "", "\"10.0.0.2:65536\""),
        STREAM("tcp", "20001", "\"unix:/run/x;\""),
    };
    for (size_t i = 0; i < sizeof evil / sizeof evil[0]; i++) {
        struct render_output out;
        struct buf both = {0};
        buf_addf(&both, "%s,%s", evil[i], HTTP("good.apps.example.com", "", ""));
        render(buf_text(&both), &out);
        CU_ASSERT_TRUE(strstr(json_object_to_json_string(out.faults), "is not served: it has a value that nginx would take for something else") != NULL);
        CU_ASSERT_EQUAL(out.endpoints, 1);
        CU_ASSERT_TRUE(has(&out.http, "good.apps.example.com"));
        CU_ASSERT_FALSE(has(&out.http, "web-a") || has(&out.http, "evil") || out.stream.len > 0);
        buf_free(&both);
        render_output_free(&out);
    }
}

/* A certificate of its own for a name, made by openssl. */
static void certificate_make(const char *name)
{
    char command[512];
    snprintf(command, sizeof command,
             "mkdir -p '%s/%s' && cd '%s/%s' && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 "
             "-subj /CN=%s -keyout privkey.pem -out fullchain.pem 2>/dev/null", folder, name, folder, name, name);
    CU_ASSERT_EQUAL(system(command), 0);
}

static void test_certificates(void)
{
    struct render_output before, own, renewed, broken;
    char path[128], line[256];
    const char *endpoint = HTTP("web-a.apps.example.com", "\"one.example.org\", \"two.example.org\"", "\"10.0.0.2:80\"");
    render(endpoint, &before);
    CU_ASSERT_TRUE(has(&before.http, "\"*.apps.example.com\"\n        \"one.example.org\"\n        \"two.example.org\";"));
    certificate_make("two.example.org");
    snprintf(path, sizeof path, "%s/two.example.org", folder);
    render(endpoint, &own);
    snprintf(line, sizeof line, "ssl_certificate \"%s/fullchain.pem\";", path);
    CU_ASSERT_TRUE(has(&own.http, "\"*.apps.example.com\"\n        \"one.example.org\";"));
    CU_ASSERT_TRUE(has(&own.http, "server_name \"two.example.org\";") && has(&own.http, line) && own.faults == NULL);
    CU_ASSERT_TRUE(has(&own.http, " \"\\\\two.example.org\" \"" ID "-80\";\n"));
    CU_ASSERT_STRING_NOT_EQUAL(own.version, before.version);
    certificate_make("two.example.org");
    render(endpoint, &renewed);
    CU_ASSERT_STRING_NOT_EQUAL(renewed.version, own.version);
    /* Half renewed, cut off, or no certificate at all: the name is served all the same, and it is said. */
    static const char *const ways[][2] = {{"privkey.pem", "x"}, {"fullchain.pem", ""}, {"fullchain.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n"}};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        char file[64];
        certificate_make("two.example.org");
        snprintf(file, sizeof file, "two.example.org/%s", ways[i][0]);
        file_write(file, ways[i][1]);
        render(endpoint, &broken);
        CU_ASSERT_TRUE(has(&broken.http, "\"*.apps.example.com\"\n        \"one.example.org\"\n        \"two.example.org\";"));
        CU_ASSERT_PTR_NOT_NULL(strstr(json_object_to_json_string(broken.faults),
                                      "port 80 is served under two.example.org with the server's own certificate"));
        render_output_free(&broken);
    }
    certificate_make("other");
    snprintf(line, sizeof line, "cp '%s/other/privkey.pem' '%s/two.example.org/'", folder, folder);
    certificate_make("two.example.org");
    CU_ASSERT_EQUAL(system(line), 0);
    render(endpoint, &broken);
    CU_ASSERT_PTR_NOT_NULL(strstr(json_object_to_json_string(broken.faults), "key values mismatch"));
    render_output_free(&broken);
    render_output_free(&before);
    render_output_free(&own);
    render_output_free(&renewed);
}

static void test_version(void)
{
    struct render_output one, same, other;
    render(HTTP("web-a.apps.example.com", "", "\"10.0.0.2:80\""), &one);
    render(HTTP("web-a.apps.example.com", "", "\"10.0.0.2:80\""), &same);
    render(HTTP("web-a.apps.example.com", "", "\"10.0.0.3:80\""), &other);
    CU_ASSERT_STRING_EQUAL(one.version, same.version);
    CU_ASSERT_STRING_NOT_EQUAL(one.version, other.version);
    render_output_free(&one);
    render_output_free(&same);
    render_output_free(&other);
}

static void test_templates(void)
{
    struct render_templates templates;
    struct buf fault = {0};
    char path[128];
    snprintf(path, sizeof path, "%s/template", folder);
    CU_ASSERT_NOT_EQUAL(render_load(path, &templates, &fault), 0);
    CU_ASSERT_TRUE(has(&fault, "No such file"));
    buf_clear(&fault);
    file_write("template", "#=== http head\nhead\n#=== http heads\nx\n");
    CU_ASSERT_NOT_EQUAL(render_load(path, &templates, &fault), 0);
    CU_ASSERT_TRUE(has(&fault, "no such section: #=== http heads") && has(&fault, "has no section \"http server\""));
    buf_free(&fault);
}

/* As the kernel writes them, on a machine whose least byte comes first. */
static void test_drain(void)
{
    char path[128], path6[128];
    struct buf ids = {0};
    file_write("tcp", "  sl  local_address rem_address   st tx_queue rx_queue\n"
                      "   0: 0100007F:1F90 0200000A:0050 01 00000000:00000000 00:00000000 00000000\n"  /* 10.0.0.2:80 */
                      "   1: 0100007F:1F91 0300000A:0050 06 00000000:00000000 00:00000000 00000000\n"  /* TIME_WAIT */
                      "   2: 0100007F:1F92 0400000A:0051 01 00000000:00000000 00:00000000 00000000\n"  /* another port */
                      /* Half closed: by nginx, which waits for the answer; and what is left of one that it gave up. */
                      "   3: 0100007F:1F93 0500000A:0050 05 00000000:00000000 00:00000000 00000000  33        0 4711 1 0 0\n"
                      "   4: 0100007F:1F94 0600000A:0050 04 00000000:00000000 00:00000000 00000000   0        0 0 1 0 0\n");
    file_write("tcp6", "  sl  local_address rem_address   st tx_queue rx_queue\n"
                       "   0: 00000000000000000000000001000000:1F90 000000FD000000000000000002000000:0050 08 0:0 0:0 0\n");
    snprintf(path, sizeof path, "%s/tcp", folder);
    snprintf(path6, sizeof path6, "%s/tcp6", folder);
    const char *const tables[] = {path, path6, NULL};
    struct json_object *draining = json_tokener_parse(
        "[{\"id\": \"busy\", \"peers\": [\"10.0.0.2:81\", \"10.0.0.2:80\"]}, {\"id\": \"done\", \"peers\": [\"10.0.0.3:80\"]},"
        " {\"id\": \"other-port\", \"peers\": [\"10.0.0.4:80\"]}, {\"id\": \"six\", \"peers\": [\"[fd00::2]:80\"]},"
        " {\"id\": \"none\", \"peers\": []}, {\"id\": \"half\", \"peers\": [\"10.0.0.5:80\"]},"
        " {\"id\": \"orphan\", \"peers\": [\"10.0.0.6:80\"]}]");
    CU_ASSERT_EQUAL(drain_busy(draining, tables, &ids), 3);
    CU_ASSERT_STRING_EQUAL(buf_text(&ids), "{busy,six,half}");
    json_object_put(draining);
    buf_clear(&ids);
    CU_ASSERT_EQUAL(drain_busy(NULL, tables, &ids), 0);
    CU_ASSERT_STRING_EQUAL(buf_text(&ids), "{}");
    buf_free(&ids);
}

void suite_router(void)
{
    CU_pSuite suite = CU_add_suite("router", folder_make, folder_remove);
    CU_add_test(suite, "http-endpoint", test_http);
    CU_add_test(suite, "http-endpoint of no instance", test_http_none);
    CU_add_test(suite, "tcp-endpoint, tcp and udp", test_stream);
    CU_add_test(suite, "no value of a tenant is configuration", test_injection);
    CU_add_test(suite, "a certificate for a domain", test_certificates);
    CU_add_test(suite, "the same routes are the same version", test_version);
    CU_add_test(suite, "templates with faults", test_templates);
    CU_add_test(suite, "who holds connections", test_drain);
}
