/* SPDX-License-Identifier: MIT */
/* address.h — IP addresses and networks as values. IPv4 is held in its mapped
 * IPv6 form (::ffff:a.b.c.d), so that one client has one address whichever
 * listener it came through. */
#ifndef RUNNEL_SERVER_ADDRESS_H
#define RUNNEL_SERVER_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/slice.h"

enum { ADDRESS_TEXT_SIZE = 46 }; /* the longest IPv6 address and its NUL */

struct address {
    uint8_t bytes[16];
};

struct network {
    struct address address;
    unsigned bits; /* of the mapped form: 10.0.0.0/8 has 104 */
};

/* "10.1.2.3", "2001:db8::1"; no brackets, no zone, no port. 0 or -EINVAL. */
int address_parse(struct slice text, struct address *ret_address);
/* As a proxy names one: also "10.1.2.3:4567", "[2001:db8::1]", "[::1]:80". */
int address_parse_forwarded(struct slice text, struct address *ret_address);
/* False when it is neither IPv4 nor IPv6. */
bool address_from_socket(const struct sockaddr *socket, struct address *ret_address);
/* Returns text. */
const char *address_format(const struct address *address, char text[ADDRESS_TEXT_SIZE]);
bool address_is_ipv4(const struct address *address);
bool address_is_loopback(const struct address *address);
/* To tell clients apart: those of an IPv6 /64 are one. Whoever finds two that meet wins
 * nothing: they share what they have. */
uint64_t address_hash(const struct address *address);

/* "10.0.0.0/8", "fd00::/8", or a bare address. 0 or -EINVAL. */
int network_parse(const char *text, struct network *ret_network);
bool network_contains(const struct network *network, const struct address *address);

#endif
