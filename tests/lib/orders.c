/* The server of orders: a thread, all connections in one poll(). */
#include "tests/lib/orders.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/world.h"

enum { CLIENTS_MAX = 100, NAMES_MAX = 20 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    char name[64], order[32];
} orders[NAMES_MAX];
static int n_orders;
static struct {
    int fd; /* -1: none */
    char name[64];
    size_t len;
    bool named;
} clients[CLIENTS_MAX];
static int listener = -1;

/* Under the lock. */
static void send_order(int client)
{
    const char *order = "nothing";
    char line[40];
    for (int i = 0; i < n_orders; i++)
        if (strcmp(orders[i].name, clients[client].name) == 0)
            order = orders[i].order;
    int n = snprintf(line, sizeof line, "%s\n", order);
    send(clients[client].fd, line, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void client_new(void)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    for (int i = 0; fd >= 0 && i < CLIENTS_MAX; i++)
        if (clients[i].fd < 0) {
            clients[i].fd = fd;
            clients[i].len = 0;
            clients[i].named = false;
            return;
        }
    if (fd >= 0)
        close(fd);
}

static void client_read(int i)
{
    ssize_t n = recv(clients[i].fd, clients[i].name + clients[i].len, sizeof clients[i].name - 1 - clients[i].len, MSG_DONTWAIT);
    if (n <= 0) {
        close(clients[i].fd);
        clients[i].fd = -1;
        return;
    }
    clients[i].len += (size_t)n;
    clients[i].name[clients[i].len] = '\0';
    char *end = strchr(clients[i].name, '\n');
    if (end == NULL)
        return;
    *end = '\0';
    clients[i].named = true;
    send_order(i);
}

static void *serve(void *context)
{
    (void)context;
    for (;;) {
        struct pollfd fds[CLIENTS_MAX + 1] = {{.fd = listener, .events = POLLIN}};
        for (int i = 0; i < CLIENTS_MAX; i++) /* only this thread opens and closes; poll() passes over -1 */
            fds[i + 1] = (struct pollfd){.fd = clients[i].fd, .events = POLLIN};
        if (poll(fds, CLIENTS_MAX + 1, -1) <= 0)
            continue;
        pthread_mutex_lock(&lock);
        for (int i = 0; i < CLIENTS_MAX; i++)
            if (fds[i + 1].fd >= 0 && fds[i + 1].revents != 0)
                client_read(i);
        if (fds[0].revents != 0)
            client_new();
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void start(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    char host[64];
    int port;
    pthread_t thread;
    if (sscanf(world.orders, "%63s %d", host, &port) != 2 || inet_pton(AF_INET, host, &address.sin_addr) != 1)
        abort();
    address.sin_port = htons((uint16_t)port);
    for (int i = 0; i < CLIENTS_MAX; i++)
        clients[i].fd = -1;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, SOMAXCONN) != 0) {
        perror("orders");
        abort();
    }
    pthread_create(&thread, NULL, serve, NULL);
    pthread_detach(thread);
}

void orders_tell(const char *name, const char *what)
{
    pthread_mutex_lock(&lock);
    if (listener < 0)
        start();
    int at = 0;
    while (at < n_orders && strcmp(orders[at].name, name) != 0)
        at++;
    if (at == NAMES_MAX)
        abort();
    n_orders += at == n_orders;
    snprintf(orders[at].name, sizeof orders[at].name, "%s", name);
    snprintf(orders[at].order, sizeof orders[at].order, "%s", what);
    for (int i = 0; i < CLIENTS_MAX; i++)
        if (clients[i].fd >= 0 && clients[i].named && strcmp(clients[i].name, name) == 0)
            send_order(i);
    pthread_mutex_unlock(&lock);
}
