/* From routes to nginx's configuration. */
#include "router/render.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "router/certificate.h"
#include "router/values.h"

#define SECTION_MARK "#=== "

static const char *const section_names[RENDER_SECTION__MAX] = {
    [RENDER_HTTP_HEAD] = "http head",     [RENDER_HTTP_ROUTE] = "http route",     [RENDER_HTTP_UPSTREAM] = "http upstream",
    [RENDER_HTTP_SERVER] = "http server", [RENDER_STREAM_TCP] = "stream tcp",     [RENDER_STREAM_UDP] = "stream udp",
    [RENDER_HTTP_SERVERS] = "http servers", [RENDER_STREAM_SERVERS] = "stream servers",
};

/* --- the templates --- */

void render_free(struct render_templates *t)
{
    for (size_t i = 0; i < RENDER_SECTION__MAX; i++)
        free(t->sections[i]);
    *t = (struct render_templates){0};
}

/* Takes over what belongs to the section that the latest mark began. */
static void section_end(struct render_templates *t, int section, struct buf *text)
{
    if (section >= 0 && t->sections[section] == NULL)
        t->sections[section] = strdup(buf_text(text));
    buf_clear(text);
}

static int section_of(const char *mark)
{
    for (int i = 0; i < RENDER_SECTION__MAX; i++) {
        if (strncmp(mark, section_names[i], strlen(section_names[i])) == 0 && mark[strlen(section_names[i])] == '\n')
            return i;
    }
    return -1;
}

int render_load(const char *path, struct render_templates *t, struct buf *fault)
{
    struct buf text = {0};
    char *line = NULL;
    size_t size = 0;
    int section = -1;
    *t = (struct render_templates){0};
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        buf_addf(fault, "%s: %s", path, strerror(errno));
        return -1;
    }
    while (getline(&line, &size, file) >= 0) {
        if (strncmp(line, SECTION_MARK, strlen(SECTION_MARK)) != 0) {
            buf_adds(&text, line);
            continue;
        }
        section_end(t, section, &text);
        section = section_of(line + strlen(SECTION_MARK));
        if (section < 0)
            buf_addf(fault, "%s: no such section: %s", path, line);
    }
    section_end(t, section, &text);
    for (size_t i = 0; i < RENDER_SECTION__MAX; i++) {
        if (t->sections[i] == NULL && !ferror(file))
            buf_addf(fault, "%s%s has no section \"%s\"", fault->len > 0 ? "; " : "", path, section_names[i]);
    }
    if (ferror(file))
        buf_addf(fault, "%s can't be read", path);
    fclose(file);
    free(line);
    buf_free(&text);
    if (fault->len == 0)
        return 0;
    render_free(t);
    return -1;
}

/* What stands for a name in a template. */
struct value {
    const char *name, *text;
};

/* Adds a section with each {{NAME}} replaced. A name that it does not know stays, and nginx refuses it. */
static void section_add(struct buf *out, const char *section, const struct value *values)
{
    for (const char *at = section; *at != '\0';) {
        const struct value *v = values;
        size_t len = 0;
        for (; v->name != NULL; v++) {
            len = strlen(v->name);
            if (at[0] == '{' && at[1] == '{' && strncmp(at + 2, v->name, len) == 0 && strncmp(at + 2 + len, "}}", 2) == 0)
                break;
        }
        if (v->name != NULL) {
            buf_adds(out, v->text);
            at += len + 4;
        } else {
            buf_addc(out, *at++);
        }
    }
}

/* --- rendering --- */

struct renderer {
    const struct render_options *options;
    struct render_output *out;
    struct buf routes; /* of all host names */
    struct buf names;  /* of the custom ones that have no certificate of their own */
    struct buf stamps; /* of the certificates: a renewed one makes another version */
    struct json_object *taken; /* what may stand in the configuration once only, and does: names, public ports */
};

/* Whether it is the first time that this is asked for. */
static bool take(struct renderer *r, const char *what)
{
    if (json_object_object_get_ex(r->taken, what, NULL))
        return false;
    json_object_object_add(r->taken, what, NULL);
    return true;
}

static void stamp_add(struct renderer *r, const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0)
        buf_addf(&r->stamps, "%s %llu %lld %lld.%09ld\n", path, (unsigned long long)st.st_ino, (long long)st.st_size,
                 (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

/* An endpoint is not what it should be. */
static void fault_add(struct renderer *r, struct json_object *endpoint, const char *fault)
{
    struct json_object *before = NULL;
    const char *service = values_text(endpoint, "service");
    struct buf words = {0};
    if (r->out->faults == NULL)
        r->out->faults = json_object_new_object();
    if (json_object_object_get_ex(r->out->faults, service, &before))
        buf_addf(&words, "%s; ", json_object_get_string(before));
    buf_addf(&words, "port %s %s", values_text(endpoint, "port"), fault);
    json_object_object_add(r->out->faults, service, json_object_new_string(buf_text(&words)));
    buf_free(&words);
}

/* Adds the server of a name that the operator has a certificate for. Returns whether there is one that can be used. */
static bool server_add(struct renderer *r, struct json_object *endpoint, const char *name)
{
    struct stat st;
    struct buf certificate = {0}, key = {0}, fault = {0};
    bool used = false;
    buf_addf(&certificate, "%s/%s/fullchain.pem", r->options->certificates, name);
    buf_addf(&key, "%s/%s/privkey.pem", r->options->certificates, name);
    if (r->options->certificates[0] == '\0' || stat(buf_text(&certificate), &st) != 0 || !value_plain(buf_text(&certificate))) {
        used = false;
    } else if (certificate_check(buf_text(&certificate), buf_text(&key), &fault) != 0) {
        struct buf words = {0};
        buf_addf(&words, "is served under %s with the server's own certificate, since that name's can't be used: %s", name,
                 buf_text(&fault));
        fault_add(r, endpoint, buf_text(&words));
        buf_free(&words);
    } else {
        const struct value values[] = {{"NAME", name}, {"CERTIFICATE", buf_text(&certificate)}, {"KEY", buf_text(&key)}, {NULL, NULL}};
        section_add(&r->out->http, r->options->templates->sections[RENDER_HTTP_SERVER], values);
        stamp_add(r, buf_text(&certificate));
        stamp_add(r, buf_text(&key));
        used = true;
    }
    buf_free(&certificate);
    buf_free(&key);
    buf_free(&fault);
    return used;
}

/* The lines for the instances of an endpoint. Returns how many. */
static int servers_add(const struct renderer *r, struct json_object *endpoint, enum render_section section, struct buf *lines)
{
    size_t n;
    struct json_object *servers = values_array(endpoint, "servers", &n);
    for (size_t i = 0; i < n; i++) {
        const struct value values[] = {{"ADDRESS", json_object_get_string(json_object_array_get_idx(servers, i))}, {NULL, NULL}};
        section_add(lines, r->options->templates->sections[section], values);
    }
    return (int)n;
}

static void route_add(struct renderer *r, const char *name, const char *to)
{
    const struct value values[] = {{"NAME", name}, {"TO", to}, {NULL, NULL}};
    section_add(&r->routes, r->options->templates->sections[RENDER_HTTP_ROUTE], values);
}

static void http_add(struct renderer *r, struct json_object *endpoint)
{
    char id[80];
    struct buf lines = {0};
    size_t n;
    const char *own = values_text(endpoint, "name");
    snprintf(id, sizeof id, "%.36s-%.5s", values_text(endpoint, "service"), values_text(endpoint, "port"));
    if (!take(r, own) || !take(r, id)) {
        fault_add(r, endpoint, "is not served: another endpoint has the same name or port");
        return;
    }
    int servers = servers_add(r, endpoint, RENDER_HTTP_SERVERS, &lines);
    const char *to = servers > 0 ? id : "none";
    const struct value values[] = {{"ID", id}, {"OWNER", values_text(endpoint, "owner")}, {"SERVERS", buf_text(&lines)}, {NULL, NULL}};
    if (servers > 0)
        section_add(&r->out->http, r->options->templates->sections[RENDER_HTTP_UPSTREAM], values);
    route_add(r, own, to);
    struct json_object *custom = values_array(endpoint, "custom", &n);
    for (size_t i = 0; i < n; i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(custom, i));
        if (!take(r, name)) {
            struct buf words = {0};
            buf_addf(&words, "is not served under %s: another endpoint has that name", name);
            fault_add(r, endpoint, buf_text(&words));
            buf_free(&words);
            continue;
        }
        route_add(r, name, to);
        if (!server_add(r, endpoint, name))
            buf_addf(&r->names, "\n        \"%s\"", name);
    }
    r->out->servers += servers;
    r->out->endpoints++;
    buf_free(&lines);
}

static void stream_add(struct renderer *r, struct json_object *endpoint)
{
    struct buf lines = {0};
    const char *protocol = values_text(endpoint, "protocol"), *port = values_text(endpoint, "service_port");
    char id[32];
    bool udp = strcmp(protocol, "udp") == 0;
    snprintf(id, sizeof id, "%s-%s", protocol, port);
    if (!take(r, id)) {
        fault_add(r, endpoint, "is not served: another endpoint has the same public port");
        return;
    }
    int servers = servers_add(r, endpoint, RENDER_STREAM_SERVERS, &lines);
    if (servers > 0 && !r->options->port_free(r->options->context, protocol, (int)strtol(port, NULL, 10))) {
        struct buf fault = {0};
        buf_addf(&fault, "is not served: another program holds the public port %s/%s", port, protocol);
        fault_add(r, endpoint, buf_text(&fault));
        buf_free(&fault);
    } else if (servers > 0) {
        const struct value values[] = {{"ID", id}, {"OWNER", values_text(endpoint, "owner")}, {"SERVERS", buf_text(&lines)},
                                       {"PORT", port}, {NULL, NULL}};
        section_add(&r->out->stream, r->options->templates->sections[udp ? RENDER_STREAM_UDP : RENDER_STREAM_TCP], values);
        buf_addf(&r->out->ports, "%s %s\n", protocol, port);
        r->out->servers += servers;
        r->out->endpoints++;
    }
    buf_free(&lines);
}

/* The version stands in the head, so it is made of all but that. */
static void head_add(struct renderer *r, const char *base_domain)
{
    unsigned char hash[(RENDER_VERSION_SIZE - 1) / 2];
    crypto_generichash_state state;
    const struct buf *parts[] = {&r->out->http, &r->out->stream, &r->routes, &r->names, &r->stamps};
    const char *head = r->options->templates->sections[RENDER_HTTP_HEAD];
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        crypto_generichash_update(&state, (const unsigned char *)buf_text(parts[i]), parts[i]->len + 1);
    crypto_generichash_update(&state, (const unsigned char *)base_domain, strlen(base_domain) + 1);
    crypto_generichash_update(&state, (const unsigned char *)head, strlen(head));
    crypto_generichash_final(&state, hash, sizeof hash);
    for (size_t i = 0; i < sizeof hash; i++)
        snprintf(r->out->version + 2 * i, 3, "%02x", hash[i]);
    const struct value values[] = {
        {"VERSION", r->out->version},         {"BASE_DOMAIN", base_domain},          {"ROUTES", buf_text(&r->routes)},
        {"NAMES", buf_text(&r->names)},       {"CERTIFICATE", r->options->certificate}, {"KEY", r->options->certificate_key},
        {NULL, NULL},
    };
    struct buf whole = {0};
    section_add(&whole, head, values);
    buf_add(&whole, buf_text(&r->out->http), r->out->http.len);
    buf_free(&r->out->http);
    r->out->http = whole;
}

int render_routes(const struct render_options *options, struct json_object *routes, struct render_output *out)
{
    struct renderer r = {.options = options, .out = out, .taken = json_object_new_object()};
    size_t n;
    struct json_object *endpoints = values_array(routes, "endpoints", &n);
    for (size_t i = 0; i < n; i++) {
        struct json_object *endpoint = json_object_array_get_idx(endpoints, i);
        if (!values_good(endpoint))
            fault_add(&r, endpoint, "is not served: it has a value that nginx would take for something else");
        else if (strcmp(values_text(endpoint, "type"), "http") == 0)
            http_add(&r, endpoint);
        else
            stream_add(&r, endpoint);
    }
    stamp_add(&r, options->certificate);
    stamp_add(&r, options->certificate_key);
    head_add(&r, values_text(routes, "base_domain"));
    bool failed = r.taken == NULL || out->http.failed || out->stream.failed || out->ports.failed || r.routes.failed || r.names.failed ||
                  r.stamps.failed;
    json_object_put(r.taken);
    buf_free(&r.routes);
    buf_free(&r.names);
    buf_free(&r.stamps);
    return failed ? -1 : 0;
}

void render_output_free(struct render_output *out)
{
    buf_free(&out->http);
    buf_free(&out->stream);
    buf_free(&out->ports);
    json_object_put(out->faults);
    *out = (struct render_output){0};
}
