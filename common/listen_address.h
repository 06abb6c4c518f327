/* Addresses to listen on: ADDRESS:PORT or [ADDRESS]:PORT. */
#ifndef SKYLARK_COMMON_LISTEN_ADDRESS_H
#define SKYLARK_COMMON_LISTEN_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* Reads an address of IPv4, or of IPv6 in brackets, and a port from 1 to 65535; no names. Returns whether it is one. */
bool listen_address_parse(const char *text, struct sockaddr_storage *address);

/* Bytes of the address's own kind, for bind(2). */
socklen_t listen_address_size(const struct sockaddr_storage *address);

/* Whether only processes of this host can reach it: 127.0.0.0/8, ::1, the former written as IPv6, or a unix socket. */
bool listen_address_local(const struct sockaddr_storage *address);

#endif
