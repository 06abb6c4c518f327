/* Who may speak FastCGI: processes of this host only, whether the socket is made or passed by systemd. */
#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/listen_address.h"
#include "common/log.h"
#include "fcgi/listen.h"
#include "tests/lib/check.h"
#include "tests/process/suites.h"

static void test_local(void)
{
    static const struct {
        const char *text;
        bool valid, local;
    } rows[] = {
        {"127.0.0.1:9000", true, true}, {"127.255.255.254:1", true, true}, {"[::1]:65535", true, true},
        {"[::ffff:127.0.0.1]:9000", true, true}, {"0.0.0.0:9000", true, false}, {"[::]:9000", true, false},
        {"128.0.0.1:9000", true, false}, {"126.255.255.255:9000", true, false}, {"192.168.1.7:9000", true, false},
        {"[::2]:9000", true, false}, {"[fe80::1]:9000", true, false}, {"[::ffff:10.0.0.1]:9000", true, false},
        {"[::ffff:0.0.0.0]:9000", true, false}, {"[::127.0.0.1]:9000", true, false}, {"[7f00::1]:9000", true, false},
        {"localhost:9000", false, false}, {"127.0.0.1", false, false}, {"127.1:9000", false, false}, {"::1:9000", false, false},
        {"127.0.0.1:0", false, false}, {"127.0.0.1:65536", false, false}, {"", false, false}, {":9000", false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sockaddr_storage address;
        bool valid = listen_address_parse(rows[i].text, &address);
        CHECK(valid == rows[i].valid, "%s: valid %d", rows[i].text, valid);
        if (valid)
            CHECK(listen_address_local(&address) == rows[i].local, "%s", rows[i].text);
    }
}

/* A socket that listens on that address at any port: unless the host has none of that kind, -1. */
static int socket_at(const char *host, int family)
{
    struct sockaddr_storage address = {.ss_family = (sa_family_t)family};
    if (family == AF_INET)
        inet_pton(AF_INET, host, &((struct sockaddr_in *)&address)->sin_addr);
    if (family == AF_INET6)
        inet_pton(AF_INET6, host, &((struct sockaddr_in6 *)&address)->sin6_addr);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* A unix socket of no name but its kind gets one of the kernel's. */
    socklen_t size = family == AF_UNIX ? sizeof(sa_family_t) : listen_address_size(&address);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 && listen(fd, 1) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* A port that nobody listens on. */
static int free_port(void)
{
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;
    int fd = socket_at("127.0.0.1", AF_INET);
    getsockname(fd, (struct sockaddr *)&address, &size);
    close(fd);
    return ntohs(address.sin_port);
}

static void test_made(void)
{
    static const struct {
        const char *host;
        int family;
        bool taken;
    } rows[] = {{"127.0.0.1", AF_INET, true}, {"[::1]", AF_INET6, true}, {"0.0.0.0", AF_INET, false}, {"[::]", AF_INET6, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char where[64];
        int plain = socket_at(rows[i].family == AF_INET ? "127.0.0.1" : "::1", rows[i].family);
        if (plain < 0)
            continue; /* a host without IPv6 */
        close(plain);
        snprintf(where, sizeof where, "%s:%d", rows[i].host, free_port());
        struct api_settings settings = {.listen = where, .backlog = 16};
        log_open("test-listen", LOG_LEVEL__MAX);
        int fd = listen_open(&settings);
        log_open("test-listen", LOG_LEVEL_INFO);
        CHECK((fd >= 0) == rows[i].taken, "%s: %d", where, fd);
        if (fd >= 0)
            close(fd);
    }
}

static void test_passed(void)
{
    static const struct {
        const char *host;
        int family;
        bool taken;
    } rows[] = {{"127.0.0.1", AF_INET, true}, {"::1", AF_INET6, true}, {"", AF_UNIX, true}, {"0.0.0.0", AF_INET, false}, {"::", AF_INET6, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int fd = socket_at(rows[i].host, rows[i].family), status = -1;
        if (fd < 0 && rows[i].family == AF_INET6)
            continue; /* a host without IPv6 */
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
            char self[16], unused[] = "unix:/nonexistent/s", mode[] = "0600";
            struct api_settings settings = {.listen = unused, .socket_mode = mode, .backlog = 16};
            snprintf(self, sizeof self, "%d", (int)getpid());
            setenv("LISTEN_PID", self, 1);
            setenv("LISTEN_FDS", "1", 1);
            log_open("test-listen", LOG_LEVEL__MAX);
            _exit((fd == 3 || dup2(fd, 3) == 3) && listen_open(&settings) == 3 ? 0 : 1);
        }
        waitpid(pid, &status, 0);
        CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 0) == rows[i].taken, "%s: status %x", rows[i].host, (unsigned)status);
        close(fd);
    }
}

void suite_listen(void)
{
    CU_pSuite suite = CU_add_suite("listen", NULL, NULL);
    CU_add_test(suite, "which addresses are local", test_local);
    CU_add_test(suite, "a socket that is made is local", test_made);
    CU_add_test(suite, "a socket that is passed is local", test_passed);
}
