/* An HTTP client for tests, on libcurl. */
#include "tests/lib/http.h"

#include <curl/curl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/lib/check.h"
#include "tests/lib/world.h"

static _Thread_local CURL *handle;

struct gathered {
    char *data;
    size_t len;
};

static size_t gather(char *data, size_t size, size_t n, void *context)
{
    struct gathered *g = context;
    char *grown = realloc(g->data, g->len + size * n + 1);
    if (grown == NULL)
        return 0;
    memcpy(grown + g->len, data, size * n);
    g->data = grown;
    g->len += size * n;
    grown[g->len] = '\0';
    return size * n;
}

static struct curl_slist *headers_of(const struct http_call *call)
{
    char line[8192];
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    if (call->token != NULL) {
        snprintf(line, sizeof line, "Authorization: Token %s", call->token);
        list = curl_slist_append(list, line);
    }
    if (call->body != NULL) {
        const char *type = call->type != NULL ? call->type : "application/json";
        snprintf(line, sizeof line, type[0] != '\0' ? "Content-Type: %s" : "Content-Type:%s", type);
        list = curl_slist_append(list, line);
    }
    for (size_t i = 0; i < sizeof call->headers / sizeof call->headers[0] && call->headers[i] != NULL; i++)
        list = curl_slist_append(list, call->headers[i]);
    return list;
}

static void set_method(const struct http_call *call)
{
    const char *method = call->method != NULL ? call->method : "GET";
    if (strcmp(method, "HEAD") == 0) {
        curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
    } else if (call->body != NULL) {
        size_t len = call->body_len > 0 ? call->body_len : strlen(call->body);
        curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
        curl_easy_setopt(handle, CURLOPT_POSTFIELDS, call->body);
    }
    if (strcmp(method, "HEAD") != 0)
        curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method);
}

static void set_tls(const struct http_call *call)
{
    bool own = call->insecure || call->no_ca || call->tls_version != 0 || call->ciphers != NULL;
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, (long)!call->insecure);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, call->insecure ? 0L : 2L);
    curl_easy_setopt(handle, CURLOPT_SSLVERSION, call->tls_version);
    curl_easy_setopt(handle, CURLOPT_SSL_CIPHER_LIST, call->ciphers);
    if (own || call->http2) { /* a kept connection is as it was made */
        curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(handle, CURLOPT_FORBID_REUSE, 1L);
        curl_easy_setopt(handle, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    }
}

struct http_response http_do(const struct http_call *call)
{
    struct http_response response = {0};
    struct gathered body = {0}, head = {0};
    if (handle == NULL)
        handle = curl_easy_init();
    curl_easy_reset(handle);
    size_t size = strlen(call->path) + 512;
    char *url = malloc(size), error[CURL_ERROR_SIZE] = "";
    snprintf(url, size, "%s%s", call->base != NULL ? call->base : world.url, call->path);
    struct curl_slist *headers = headers_of(call), *here = call->by_name ? curl_slist_append(NULL, "::127.0.0.1:") : NULL;
    curl_easy_setopt(handle, CURLOPT_URL, url);
    curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_PROXY, "");
    if (!call->no_ca)
        curl_easy_setopt(handle, CURLOPT_CAINFO, world.ca);
    set_tls(call);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, call->http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)((double)(call->timeout_ms > 0 ? call->timeout_ms : 30000L) * check_patience()));
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, gather);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, gather);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, &head);
    if (call->unix_socket != NULL)
        curl_easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH, call->unix_socket);
    curl_easy_setopt(handle, CURLOPT_CONNECT_TO, here);
    set_method(call);
    CURLcode code = curl_easy_perform(handle);
    if (code == CURLE_OK)
        curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &response.status);
    else
        snprintf(response.error, sizeof response.error, "%s (%s)", curl_easy_strerror(code), error);
    response.code = (int)code;
    curl_easy_getinfo(handle, CURLINFO_TOTAL_TIME, &response.seconds);
    curl_easy_getinfo(handle, CURLINFO_STARTTRANSFER_TIME, &response.first_seconds);
    response.body = body.data != NULL ? body.data : calloc(1, 1);
    response.body_len = body.len;
    response.headers = head.data != NULL ? head.data : calloc(1, 1);
    curl_slist_free_all(headers);
    curl_slist_free_all(here);
    free(url);
    return response;
}

void http_free(struct http_response *response)
{
    free(response->body);
    free(response->headers);
    *response = (struct http_response){0};
}

int http_header(const struct http_response *response, const char *name, char *value, size_t size)
{
    int count = 0;
    size_t n = strlen(name);
    if (size > 0)
        value[0] = '\0';
    for (const char *line = response->headers; *line != '\0';) {
        size_t len = strcspn(line, "\r\n");
        if (len > n && line[n] == ':' && strncasecmp(line, name, n) == 0) {
            const char *start = line + n + 1;
            start += strspn(start, " \t");
            count++;
            snprintf(value, size, "%.*s", (int)(line + len - start), start);
        }
        line += len;
        line += strspn(line, "\r\n");
    }
    return count;
}

/* Sends all, waiting while the socket is full. */
static bool raw_send(CURL *curl, curl_socket_t fd, const char *bytes, size_t len)
{
    while (len > 0) {
        size_t n = 0;
        CURLcode code = curl_easy_send(curl, bytes, len, &n);
        if (code == CURLE_AGAIN)
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 1000);
        else if (code != CURLE_OK)
            return false;
        bytes += n;
        len -= n;
    }
    return true;
}

struct http_slow {
    CURL *curl;
    curl_socket_t fd;
};

struct http_slow *http_slow_open(const char *base, const void *bytes, size_t len)
{
    struct http_slow *s = calloc(1, sizeof *s);
    s->curl = curl_easy_init();
    s->fd = -1;
    curl_easy_setopt(s->curl, CURLOPT_URL, base);
    curl_easy_setopt(s->curl, CURLOPT_CAINFO, world.ca);
    curl_easy_setopt(s->curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(s->curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(s->curl, CURLOPT_SSL_ENABLE_ALPN, 0L);
    if (curl_easy_perform(s->curl) != CURLE_OK || curl_easy_getinfo(s->curl, CURLINFO_ACTIVESOCKET, &s->fd) != CURLE_OK) {
        http_slow_close(s);
        return NULL;
    }
    raw_send(s->curl, s->fd, bytes, len); /* the server may answer and close before it has read all */
    return s;
}

/* Reads what is there, size bytes at the most, waiting for some until the end of the time. 0: closed, or nothing came. */
static size_t slow_read_some(struct http_slow *s, char *bytes, size_t size, double end)
{
    for (;;) {
        size_t n = 0;
        CURLcode code = curl_easy_recv(s->curl, bytes, size, &n);
        double left = end - world_now();
        if (code != CURLE_AGAIN)
            return code == CURLE_OK ? n : 0;
        if (left <= 0)
            return 0;
        poll(&(struct pollfd){.fd = s->fd, .events = POLLIN}, 1, (int)(left * 1000) + 1);
    }
}

char *http_slow_read(struct http_slow *s, size_t len, double seconds)
{
    char *bytes = calloc(1, len + 1);
    double end = world_now() + seconds * check_patience();
    for (size_t got = 0, n; got < len; got += n) {
        n = slow_read_some(s, bytes + got, len - got, end);
        if (n == 0) {
            free(bytes);
            return NULL;
        }
    }
    return bytes;
}

void http_slow_close(struct http_slow *s)
{
    if (s == NULL)
        return;
    curl_easy_cleanup(s->curl);
    free(s);
}

char *http_raw(const char *base, const void *bytes, size_t len)
{
    struct http_slow *s = http_slow_open(base, bytes, len);
    struct gathered got = {0};
    double end = world_now() + 10 * check_patience();
    char piece[4096];
    if (s == NULL)
        return NULL;
    gather("", 1, 0, &got);
    for (size_t n; (n = slow_read_some(s, piece, sizeof piece, end)) > 0;)
        gather(piece, 1, n, &got);
    http_slow_close(s);
    return got.data;
}

void http_end(void)
{
    if (handle != NULL)
        curl_easy_cleanup(handle);
    handle = NULL;
}
