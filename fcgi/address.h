/* What a client is counted by: the part of its address that it can't change at will. */
#ifndef SKYLARK_FCGI_ADDRESS_H
#define SKYLARK_FCGI_ADDRESS_H

#define ADDRESS_PREFIX_SIZE 64

/* Writes the prefix of an address: of IPv6 its first 64 bits ("2001:db8:1:2::/64"), since whoever has a network has all addresses of
 * it; of IPv4 all of it ("192.0.2.1"), also when it comes mapped into IPv6. What is no address stays as it is, shortened to fit. */
void address_prefix(const char *address, char out[ADDRESS_PREFIX_SIZE]);

#endif
