/* obey ADDRESS PORT NAME (or the words of $LOAD): does what the server of tests/lib/orders.h says, to which it keeps a connection:
 *
 *     cpu      uses as much of it as it gets
 *     memory   fills 44 MiB of it
 *     file     fills as much of the page cache
 *     nothing  lets go of all that, and sleeps */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FILLED (44 << 20)

static bool burning;
static char *filled;

static void end(int signal_number)
{
    (void)signal_number;
    _exit(0);
}

static long long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void file_fill(void)
{
    static char piece[1 << 20];
    memset(piece, 'x', sizeof piece);
    int fd = open("/load", O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
    for (size_t n = 0; n < FILLED && write(fd, piece, sizeof piece) == (ssize_t)sizeof piece; n += sizeof piece)
        ;
    fsync(fd);
    lseek(fd, 0, SEEK_SET);
    while (read(fd, piece, sizeof piece) > 0)
        ;
    close(fd);
}

static void obey(const char *order)
{
    burning = strcmp(order, "cpu") == 0;
    if (strcmp(order, "memory") == 0 && filled == NULL) {
        filled = mmap(NULL, FILLED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (filled == MAP_FAILED)
            exit(1);
        memset(filled, 'x', FILLED);
    } else if (strcmp(order, "file") == 0) {
        file_fill();
    } else if (strcmp(order, "nothing") == 0) {
        if (filled != NULL)
            munmap(filled, FILLED);
        filled = NULL;
        unlink("/load");
    }
}

/* Up to the end of the connection. */
static void listen_to(FILE *server, int fd)
{
    char line[64];
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, burning ? 0 : -1) > 0) {
            if (fgets(line, sizeof line, server) == NULL)
                return;
            line[strcspn(line, "\n")] = '\0';
            obey(line);
        }
        for (long long until = now_ms() + 20; burning && now_ms() < until;)
            ;
    }
}

int main(int argc, char **argv)
{
    char address[64] = "", name[64] = "";
    int port = 0;
    const char *load = getenv("LOAD");
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = end}, NULL);
    if (argc == 4)
        snprintf(address, sizeof address, "%s", argv[1]), port = atoi(argv[2]), snprintf(name, sizeof name, "%s", argv[3]);
    else if (load == NULL || sscanf(load, "%63s %d %63s", address, &port, name) != 3)
        return 2;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, address, &to.sin_addr);
    for (;;) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        FILE *server = fdopen(fd, "r");
        if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && dprintf(fd, "%s\n", name) > 0) {
            setvbuf(server, NULL, _IONBF, 0); /* poll() sees all that was not read */
            listen_to(server, fd);
        }
        fclose(server);
        burning = false;
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    }
}
