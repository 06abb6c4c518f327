/* What a client is counted by. */
#include "fcgi/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define PREFIX_BYTES 8 /* of an IPv6 address: a /64 */

void address_prefix(const char *address, char out[ADDRESS_PREFIX_SIZE])
{
    struct in_addr v4;
    struct in6_addr v6;
    char text[INET6_ADDRSTRLEN];
    if (inet_pton(AF_INET, address, &v4) == 1 && inet_ntop(AF_INET, &v4, text, sizeof text) != NULL) {
        snprintf(out, ADDRESS_PREFIX_SIZE, "%s", text);
    } else if (inet_pton(AF_INET6, address, &v6) != 1) {
        snprintf(out, ADDRESS_PREFIX_SIZE, "%s", address);
    } else if (IN6_IS_ADDR_V4MAPPED(&v6)) {
        inet_ntop(AF_INET, &v6.s6_addr[12], out, ADDRESS_PREFIX_SIZE);
    } else {
        memset(v6.s6_addr + PREFIX_BYTES, 0, sizeof v6.s6_addr - PREFIX_BYTES);
        inet_ntop(AF_INET6, &v6, text, sizeof text);
        snprintf(out, ADDRESS_PREFIX_SIZE, "%s/%d", text, PREFIX_BYTES * 8);
    }
}
