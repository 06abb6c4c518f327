/* A load client, on libcurl and plain sockets: a thread a connection. */
#include "tests/lib/load.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TIMEOUT_SECONDS = 60 };

typedef char host_name[72];

struct load {
    /* Fixed before the threads start. */
    char *url, *resolve, *ca; /* url NULL: TCP */
    char *address;
    int port, requests;
    bool keep_alive;
    double start;
    pthread_t *threads;
    int thread_count;

    atomic_int asked, done;
    atomic_bool stop;

    pthread_mutex_t lock; /* of what follows */
    struct load_result result;
    host_name *hosts;
};

static atomic_int pause_ms;

void load_pause(int ms)
{
    atomic_store(&pause_ms, ms);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *must(void *memory)
{
    if (memory == NULL) {
        fprintf(stderr, "load: no memory\n");
        abort();
    }
    return memory;
}

static char *copy(const char *text)
{
    return text != NULL ? must(strdup(text)) : NULL;
}

/* The word that follows is who answered. Under the lock. */
static void remember_host(struct load *load, const char *from)
{
    host_name host;
    snprintf(host, sizeof host, "%.*s", (int)strcspn(from, " \n"), from);
    for (int i = 0; i < load->result.hosts; i++)
        if (strcmp(load->hosts[i], host) == 0)
            return;
    load->hosts = must(realloc(load->hosts, ((size_t)load->result.hosts + 1) * sizeof *load->hosts));
    memcpy(load->hosts[load->result.hosts], host, sizeof host);
    load->result.hosts++;
}

/* Counts a request that ended: host points to the hostname in a good answer, or is NULL, and failure tells why. */
static void count(struct load *load, double started, const char *host, const char *failure)
{
    double ended = now();
    pthread_mutex_lock(&load->lock);
    struct load_result *r = &load->result;
    r->done++;
    if (ended - load->start > r->seconds)
        r->seconds = ended - load->start;
    if (ended - started > r->slowest_seconds)
        r->slowest_seconds = ended - started;
    if (host != NULL)
        remember_host(load, host);
    else if (r->failed++ == 0)
        snprintf(r->first_failure, sizeof r->first_failure, "%s", failure);
    pthread_mutex_unlock(&load->lock);
    atomic_fetch_add(&load->done, 1);

    /* A refused connection comes back at once: against a server that is down the load would only count failures. */
    int ms = atomic_load(&pause_ms);
    if (host == NULL && ms < 10)
        ms = 10;
    if (ms > 0)
        nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

/* Whether this thread asks once more. */
static bool next(struct load *load)
{
    if (atomic_load(&load->stop))
        return false;
    return load->requests == 0 || atomic_fetch_add(&load->asked, 1) < load->requests;
}

/* HTTP. */

/* The start of a body, as a string; the rest is read and forgotten. */
struct beginning {
    char text[160];
    size_t len;
};

static size_t keep_beginning(char *data, size_t size, size_t n, void *context)
{
    struct beginning *b = context;
    size_t room = sizeof b->text - 1 - b->len, part = size * n < room ? size * n : room;
    memcpy(b->text + b->len, data, part);
    b->len += part;
    b->text[b->len] = '\0';
    return size * n;
}

static void ask_http(struct load *load, CURL *curl, const char *error)
{
    static const char expected[] = "page of ";
    struct beginning body = {0};
    char failure[256];
    long status = 0;
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    double started = now();
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK)
        snprintf(failure, sizeof failure, "%s (%.150s)", curl_easy_strerror(code), error);
    else
        snprintf(failure, sizeof failure, "status %ld: %s", status, body.text);
    bool good = code == CURLE_OK && status == 200 && strncmp(body.text, expected, strlen(expected)) == 0;
    count(load, started, good ? body.text + strlen(expected) : NULL, failure);
}

static void *http_thread(void *context)
{
    struct load *load = context;
    char error[CURL_ERROR_SIZE] = "";
    CURL *curl = must(curl_easy_init());
    struct curl_slist *resolve = load->resolve != NULL ? must(curl_slist_append(NULL, load->resolve)) : NULL;
    curl_easy_setopt(curl, CURLOPT_URL, load->url);
    curl_easy_setopt(curl, CURLOPT_RESOLVE, resolve);
    if (load->ca != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, load->ca);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, load->keep_alive ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, load->keep_alive ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_beginning);
    while (next(load)) {
        error[0] = '\0'; /* curl does not clear it */
        ask_http(load, curl, error);
    }
    curl_easy_cleanup(curl);
    curl_slist_free_all(resolve);
    return NULL;
}

/* TCP. */

static int connect_tcp(const struct load *load)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)load->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)load->port)};
    struct timeval timeout = {.tv_sec = TIMEOUT_SECONDS};
    bool is_v4 = inet_pton(AF_INET, load->address, &v4.sin_addr) == 1;
    if (!is_v4 && inet_pton(AF_INET6, load->address, &v6.sin6_addr) != 1) {
        errno = EINVAL;
        return -1;
    }
    int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout); /* connect() keeps to it too */
    const struct sockaddr *to = is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    if (connect(fd, to, is_v4 ? sizeof v4 : sizeof v6) != 0) {
        int error = errno == EINPROGRESS ? ETIMEDOUT : errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* Reads a line, and cuts its end. NULL, or why there is none. */
static const char *read_line(int fd, char *line, size_t size)
{
    size_t len = 0;
    for (;;) {
        ssize_t n = recv(fd, line + len, size - 1 - len, 0);
        if (n < 0)
            return errno == EAGAIN ? "no answer in time" : strerror(errno);
        if (n == 0)
            return len < size - 1 ? "closed before the answer ended" : "too long an answer";
        line[len + (size_t)n] = '\0';
        char *end = strchr(line + len, '\n');
        if (end != NULL) {
            *end = '\0';
            return NULL;
        }
        len += (size_t)n;
    }
}

static void ask_tcp(struct load *load, int number)
{
    static const char expected[] = "tcp ";
    char line[1024] = "", ping[64], failure[256] = "";
    int len = snprintf(ping, sizeof ping, "ping %d\n", number);
    double started = now();
    int fd = connect_tcp(load);
    if (fd < 0) {
        snprintf(failure, sizeof failure, "connect to %.100s: %s", load->address, strerror(errno));
        count(load, started, NULL, failure);
        return;
    }
    const char *why = NULL;
    if (send(fd, ping, (size_t)len, MSG_NOSIGNAL) != len)
        why = strerror(errno);
    else
        why = read_line(fd, line, sizeof line);
    close(fd);

    ping[len - 1] = '\0';
    size_t got = strlen(line), end = strlen(ping);
    bool good =
        why == NULL && strncmp(line, expected, strlen(expected)) == 0 && got >= end && strcmp(line + got - end, ping) == 0;
    if (why != NULL)
        snprintf(failure, sizeof failure, "%s: %.100s", why, line);
    else
        snprintf(failure, sizeof failure, "to %s: %.160s", ping, line);
    count(load, started, good ? line + strlen(expected) : NULL, failure);
}

static void *tcp_thread(void *context)
{
    static atomic_int numbers; /* tell the answers of all loads apart */
    struct load *load = context;
    while (next(load))
        ask_tcp(load, atomic_fetch_add(&numbers, 1));
    return NULL;
}

/* Start and end. */

static struct load *start(struct load values, int connections, void *(*run)(void *))
{
    struct load *load = must(malloc(sizeof *load));
    *load = values;
    pthread_mutex_init(&load->lock, NULL);
    load->threads = must(calloc((size_t)connections, sizeof *load->threads));
    load->start = now();
    for (load->thread_count = 0; load->thread_count < connections; load->thread_count++)
        if (pthread_create(&load->threads[load->thread_count], NULL, run, load) != 0) {
            fprintf(stderr, "load: cannot start thread %d\n", load->thread_count);
            abort();
        }
    return load;
}

static void init_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct load *load_http_start(const char *url, const char *resolve, const char *ca, int connections, int requests,
                             bool keep_alive)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT; /* before there are threads that would do it, each for itself */
    pthread_once(&once, init_curl);
    struct load values = {
        .url = copy(url), .resolve = copy(resolve), .ca = copy(ca), .requests = requests, .keep_alive = keep_alive};
    return start(values, connections, http_thread);
}

struct load *load_tcp_start(const char *address, int port, int connections, int requests)
{
    struct load values = {.address = copy(address), .port = port, .requests = requests};
    return start(values, connections, tcp_thread);
}

int load_done(const struct load *load)
{
    return atomic_load(&load->done);
}

void load_stop(struct load *load)
{
    atomic_store(&load->stop, true);
}

struct load_result load_finish(struct load *load)
{
    for (int i = 0; i < load->thread_count; i++)
        pthread_join(load->threads[i], NULL);
    struct load_result result = load->result;
    pthread_mutex_destroy(&load->lock);
    free(load->url);
    free(load->resolve);
    free(load->ca);
    free(load->address);
    free(load->threads);
    free(load->hosts);
    free(load);
    return result;
}
