/* Which instances that get no more requests still hold connections of this host. */
#include "router/drain.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* States of a TCP socket in which the other side may still hear of us or we of it, as the kernel numbers them. After a half
 * close we have said all and wait for the answer: FIN_WAIT, as long as somebody holds the socket. */
enum { TCP_IS_ESTABLISHED = 1, TCP_IS_SYN_SENT = 2, TCP_IS_FIN_WAIT1 = 4, TCP_IS_FIN_WAIT2 = 5, TCP_IS_CLOSE_WAIT = 8 };

/* An address and port as the kernel writes them: each 32 bits of the address in the machine's order. */
static bool kernel_form(const char *peer, char *out, size_t size)
{
    char host[INET6_ADDRSTRLEN + 2];
    const char *colon = strrchr(peer, ':');
    struct in_addr v4;
    struct in6_addr v6;
    if (colon == NULL || (size_t)(colon - peer) >= sizeof host)
        return false;
    memcpy(host, peer, (size_t)(colon - peer));
    host[colon - peer] = '\0';
    unsigned port = (unsigned)strtoul(colon + 1, NULL, 10);
    if (inet_pton(AF_INET, host, &v4) == 1) {
        snprintf(out, size, "%08X:%04X", (unsigned)v4.s_addr, port);
        return true;
    }
    size_t len = strlen(host);
    if (len < 2 || host[0] != '[' || host[len - 1] != ']')
        return false;
    host[len - 1] = '\0';
    if (inet_pton(AF_INET6, host + 1, &v6) != 1)
        return false;
    snprintf(out, size, "%08X%08X%08X%08X:%04X", v6.s6_addr32[0], v6.s6_addr32[1], v6.s6_addr32[2], v6.s6_addr32[3], port);
    return true;
}

/* inode: 0 for a socket that nobody holds any more. */
static bool state_counts(unsigned state, unsigned long inode)
{
    return state == TCP_IS_ESTABLISHED || state == TCP_IS_SYN_SENT || state == TCP_IS_CLOSE_WAIT ||
           ((state == TCP_IS_FIN_WAIT1 || state == TCP_IS_FIN_WAIT2) && inode != 0);
}

/* Marks the instances that a line of the table belongs to. */
static void look_at(const char *line, char (*peers)[48], const size_t *owners, size_t n_peers, bool *busy)
{
    char remote[64];
    unsigned state;
    unsigned long inode = 0;
    if (sscanf(line, " %*u: %*s %63s %x %*s %*s %*s %*s %*s %lu", remote, &state, &inode) < 2 || !state_counts(state, inode))
        return;
    for (size_t i = 0; i < n_peers; i++) {
        if (strcmp(peers[i], remote) == 0)
            busy[owners[i]] = true;
    }
}

int drain_busy(struct json_object *draining, const char *const *tables, struct buf *ids)
{
    size_t n = json_object_is_type(draining, json_type_array) ? json_object_array_length(draining) : 0, n_peers = 0, most = 0;
    int n_busy = 0;
    buf_addc(ids, '{');
    for (size_t i = 0; i < n; i++)
        most += json_object_array_length(json_object_object_get(json_object_array_get_idx(draining, i), "peers"));
    char(*peers)[48] = calloc(most + 1, sizeof *peers);
    size_t *owners = calloc(most + 1, sizeof *owners);
    bool *busy = calloc(n + 1, sizeof *busy);
    if (peers == NULL || owners == NULL || busy == NULL)
        ids->failed = true;
    for (size_t i = 0; i < n && !ids->failed; i++) {
        struct json_object *list = json_object_object_get(json_object_array_get_idx(draining, i), "peers");
        for (size_t k = 0; k < json_object_array_length(list); k++) {
            if (kernel_form(json_object_get_string(json_object_array_get_idx(list, k)), peers[n_peers], sizeof peers[n_peers]))
                owners[n_peers++] = i;
        }
    }
    for (size_t t = 0; n_peers > 0 && tables[t] != NULL; t++) {
        FILE *file = fopen(tables[t], "re");
        char line[512];
        while (file != NULL && fgets(line, sizeof line, file) != NULL)
            look_at(line, peers, owners, n_peers, busy);
        if (file != NULL)
            fclose(file);
    }
    for (size_t i = 0; i < n && !ids->failed; i++) {
        if (busy[i])
            buf_addf(ids, "%s%s", n_busy++ > 0 ? "," : "",
                     json_object_get_string(json_object_object_get(json_object_array_get_idx(draining, i), "id")));
    }
    buf_addc(ids, '}');
    free(peers);
    free(owners);
    free(busy);
    return n_busy;
}
