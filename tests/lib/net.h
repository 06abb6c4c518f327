/* One question over TCP or UDP, one answer: what tests ask ports that speak no HTTP. */
#ifndef SKYLARK_TESTS_LIB_NET_H
#define SKYLARK_TESTS_LIB_NET_H

/* Connects, sends the line with a newline, and returns the first line of the answer without it; "refused" when nobody listens, "" when
 * no whole line came. The caller frees it. */
char *net_tcp_ask(const char *address, int port, const char *line);
/* Sends the text as a datagram, again each second for 10 s, until one comes back; returns that, or "". */
char *net_udp_ask(const char *address, int port, const char *text);

#endif
