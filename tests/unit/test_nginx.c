/* A real nginx takes whatever the router makes of what tenants, or their containers, have a say in: nginx -t of this machine's nginx, on the
 * project's own templates. Nothing is served. */
#include <CUnit/CUnit.h>
#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "router/render.h"
#include "tests/lib/check.h"
#include "tests/unit/suites.h"

#define ROUNDS 40
#define ENDPOINTS 60

static char folder[64];
static struct render_templates templates;

/* The configuration around the routes: what stands in nginx/, as far as nginx's verdict on names and addresses depends on it. */
static const char setup[] =
    "cd '%s' && m=$(/usr/sbin/nginx -V 2>&1 | grep -o -- '--modules-path=[^ ]*' | cut -d = -f 2)/ngx_stream_module.so && "
    "{ [ ! -e \"$m\" ] || echo \"load_module $m;\"; echo 'pid nginx.pid; error_log stderr; events { } http { "
    "client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5; access_log off;'; "
    "sed -n '/^map_hash_\\|^server_names_hash_/p' '%s/nginx/skylark.conf.in'; "
    "echo 'include http.conf; } stream { include stream.conf; }'; } >nginx.conf && : >skylark-service.conf && "
    "sed \"s|@ETC@|$PWD|; s|@INTERNAL@|unix:$PWD/i|; s|@LISTEN@@HTTPS_PORT@|unix:$PWD/s|; s|@LISTEN@@HTTP_PORT@|unix:$PWD/p|; "
    "s|@STREAM_LISTEN@|127.0.0.1:|\" '%s/nginx/skylark-routes.conf.in' >template && "
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=x -keyout key -out chain 2>/dev/null";

static int folder_make(void)
{
    char command[4096], here[512], path[128];
    struct buf fault = {0};
    snprintf(folder, sizeof folder, "/tmp/skylark-nginx-XXXXXX");
    if (mkdtemp(folder) == NULL || getcwd(here, sizeof here) == NULL)
        return 1;
    snprintf(command, sizeof command, setup, folder, here, here);
    snprintf(path, sizeof path, "%s/template", folder);
    int failed = system(command) != 0 || render_load(path, &templates, &fault) != 0;
    buf_free(&fault);
    return failed;
}

static int folder_remove(void)
{
    char command[128];
    render_free(&templates);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) != 0;
}

static bool port_free(void *context, const char *protocol, int port)
{
    (void)context, (void)protocol, (void)port;
    return true;
}

static void file_write(const char *name, const struct buf *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_TRUE(fwrite(buf_text(text), 1, text->len, file) == text->len && fclose(file) == 0);
}

/* Renders the endpoints, which it takes over. Returns how many of them are served; what nginx says against it goes to complaint, of
 * which there should be none. */
static int nginx_takes(struct json_object *endpoints, char *complaint, size_t size)
{
    char command[256], path[2][128];
    struct json_object *routes = json_object_new_object();
    struct render_output out = {0};
    snprintf(path[0], sizeof path[0], "%s/chain", folder);
    snprintf(path[1], sizeof path[1], "%s/key", folder);
    struct render_options options = {.templates = &templates, .certificate = path[0], .certificate_key = path[1], .certificates = "",
                                     .port_free = port_free};
    json_object_object_add(routes, "base_domain", json_object_new_string("apps.example.com"));
    json_object_object_add(routes, "endpoints", endpoints);
    CU_ASSERT_EQUAL_FATAL(render_routes(&options, routes, &out), 0);
    file_write("http.conf", &out.http);
    file_write("stream.conf", &out.stream);
    snprintf(command, sizeof command, "/usr/sbin/nginx -t -q -e stderr -p '%s' -c '%s/nginx.conf' 2>&1", folder, folder);
    FILE *words = popen(command, "re");
    CU_ASSERT_PTR_NOT_NULL_FATAL(words);
    size_t n = fread(complaint, 1, size - 1, words);
    complaint[n] = '\0';
    if (pclose(words) != 0 && n == 0)
        snprintf(complaint, size, "nginx fails without a word");
    int served = out.endpoints;
    render_output_free(&out);
    json_object_put(routes);
    return served;
}

static struct json_object *endpoint(const char *type, const char *name, const char *custom, const char *peer, const char *port,
                                    const char *service, const char *owner)
{
    struct json_object *e = json_object_new_object(), *names = json_object_new_array(), *peers = json_object_new_array();
    if (custom != NULL)
        json_object_array_add(names, json_object_new_string(custom));
    if (peer != NULL)
        json_object_array_add(peers, json_object_new_string(peer));
    json_object_object_add(e, "service", json_object_new_string(service));
    json_object_object_add(e, "owner", json_object_new_string(owner));
    json_object_object_add(e, "type", json_object_new_string(strcmp(type, "http") == 0 ? "http" : "stream"));
    json_object_object_add(e, "protocol", json_object_new_string(strcmp(type, "http") == 0 ? "tcp" : type));
    json_object_object_add(e, "port", json_object_new_string(port));
    json_object_object_add(e, "service_port", json_object_new_string(port));
    json_object_object_add(e, "name", json_object_new_string(name));
    json_object_object_add(e, "custom", names);
    json_object_object_add(e, "servers", peers);
    return e;
}

#define LABEL "a2345678901234567890123456789012345678901234567890123456789012"
#define LONG LABEL "." LABEL "." LABEL "." LABEL
#define ID "00000000-0000-1000-8000-0000000000"

/* What nginx's map, server_name and upstream read as something else than a value, as a custom name and as a default one. */
static void test_words(void)
{
    static const char *const words[] = {
        "include", "default", "hostnames", "volatile", "server", "listen", "location", "upstream", "*", "_", "~", "~^a", "\\", "\\\\", "\"\"", "'", "{", "}",
        ";", "#", "$host", "${host}", ".", "..", ".example.com", "*.example.com", "www.*", "example.com.", "a..b", "-a.b", "a-.b", "a b.c",
        "a\tb.c", "a\nb.c", "a;b.c", "a{b.c", "a\"b.c", "a'b.c", "a\\b.c", "{{NAME}}", "{{TO}}.a", "unix:/tmp/x", "10.0.0.1:80", "[::1]", "a:b.c", "a/b.c",
        "include.a", "default.default", "hostnames.include", LONG, LONG "." LONG, LONG "." LONG "." LONG, LABEL LABEL ".a", "",
    };
    char complaint[1024];
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        for (int custom = 0; custom < 2; custom++) {
            struct json_object *both = json_object_new_array();
            json_object_array_add(both, endpoint("http", custom ? "web.apps.example.com" : words[i], custom ? words[i] : NULL, "10.0.0.2:80", "80", ID "01", "a/web"));
            json_object_array_add(both, endpoint("http", "good.apps.example.com", "good.example.org", "[fd00::2]:80", "80", ID "02", "a/good"));
            int served = nginx_takes(both, complaint, sizeof complaint);
            CHECK(complaint[0] == '\0' && served >= 1, "\"%s\" spoils all: %s", words[i], complaint);
        }
    }
}

static uint64_t state = UINT64_C(88172645463325252);

static uint64_t next_random(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

/* One of the seeds, often as it is, at times with a character more or another. */
static const char *mutated(const char *const *seeds, size_t n, char *out, size_t size)
{
    snprintf(out, size, "%s", seeds[next_random(n)]);
    size_t len = strlen(out);
    if (next_random(3) == 0 && len > 0)
        out[next_random(len)] = "aZ0.-_:;{}$\"'\\#~*/[]@= \t\n\x01\xff%"[next_random(28)];
    if (next_random(6) == 0 && len + 1 < size)
        out[len] = "az09.-:;\n"[next_random(9)];
    return out;
}

#define SEEDS(...) ((const char *const[]){__VA_ARGS__}), sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)

/* All of a tenant's values at once, each of them good or bad, in front of and behind endpoints that are good; the same one twice, too. */
static void test_fuzz(void)
{
    char complaint[1024], text[6][1200];
    for (int round = 0; round < ROUNDS; round++) {
        struct json_object *all = json_object_new_array();
        for (int i = 0; i < ENDPOINTS; i++) {
            const char *name = mutated(SEEDS("web-a.apps.example.com", "80.web-a.apps.example.com", "include", LONG ".apps.example.com", "x.y"), text[0], sizeof text[0]),
                       *custom = mutated(SEEDS("shop.example.org", "default", "hostnames.volatile", "xn--e1afmkfd.example", LONG, LONG "." LONG "." LONG), text[1], sizeof text[1]),
                       *peer = mutated(SEEDS("10.0.0.2:80", "[fd00::2]:80", "10.0.0.2", "10.0.0.256:80", "10.0.0.2:0", "10.0.0.2:70000", "unix:/x", "[fd00::2", "name:80", "[::ffff:1.2.3.4]:65535", "backup"), text[2], sizeof text[2]),
                       *port = mutated(SEEDS("80", "20001", "20002", "65535", "65536", "0", "080", "-1", "8 0"), text[3], sizeof text[3]),
                       *service = mutated(SEEDS(ID "01", ID "02", ID "03", ID, "default", ""), text[4], sizeof text[4]),
                       *owner = mutated(SEEDS("a/web", "include/default", "a\n;", "x-y/z"), text[5], sizeof text[5]);
            json_object_array_add(all, endpoint((const char *const[]){"http", "tcp", "udp"}[next_random(3)], name, next_random(2) ? custom : NULL,
                                                next_random(4) ? peer : NULL, port, service, owner));
        }
        json_object_array_add(all, endpoint("http", "good.apps.example.com", "good.example.org", "10.0.0.9:80", "80", ID "09", "a/good"));
        int served = nginx_takes(all, complaint, sizeof complaint);
        if (!CHECK(complaint[0] == '\0' && served >= 1, "round %d: %s", round, complaint))
            break;
    }
}

void suite_nginx(void)
{
    CU_pSuite suite = CU_add_suite("nginx", folder_make, folder_remove);
    CU_add_test(suite, "no word spoils the routes of others", test_words);
    CU_add_test(suite, "nor do all values of tenants at once", test_fuzz);
}
