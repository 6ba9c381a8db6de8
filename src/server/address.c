/* SPDX-License-Identifier: MIT */
#include "server/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/parse.h"

#define MAPPED_BITS 96U /* of ::ffff:0:0/96, before the 32 of IPv4 */

static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};

static struct address from_ipv4(const struct in_addr *ipv4)
{
    struct address address;
    memcpy(address.bytes, mapped, sizeof mapped);
    memcpy(address.bytes + sizeof mapped, ipv4, sizeof *ipv4);
    return address;
}

int address_parse(struct slice text, struct address *ret_address)
{
    char copy[ADDRESS_TEXT_SIZE];
    if (text.len >= sizeof copy || memchr(text.at, '\0', text.len))
        return -EINVAL;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    struct in_addr ipv4;
    if (inet_pton(AF_INET, copy, &ipv4) == 1) {
        *ret_address = from_ipv4(&ipv4);
        return 0;
    }
    return inet_pton(AF_INET6, copy, ret_address->bytes) == 1 ? 0 : -EINVAL;
}

int address_parse_forwarded(struct slice text, struct address *ret_address)
{
    if (text.len > 0 && text.at[0] == '[') {
        const char *close = memchr(text.at, ']', text.len);
        if (!close)
            return -EINVAL;
        return address_parse((struct slice){text.at + 1, (size_t)(close - text.at) - 1},
                             ret_address);
    }
    /* One colon separates a port; several are IPv6. */
    const char *colon = memchr(text.at, ':', text.len);
    if (colon && !memchr(colon + 1, ':', text.len - (size_t)(colon + 1 - text.at)))
        text.len = (size_t)(colon - text.at);
    return address_parse(text, ret_address);
}

bool address_from_socket(const struct sockaddr *socket, struct address *ret_address)
{
    if (socket->sa_family == AF_INET) {
        *ret_address = from_ipv4(&((const struct sockaddr_in *)(const void *)socket)->sin_addr);
        return true;
    }
    if (socket->sa_family == AF_INET6) {
        memcpy(ret_address->bytes, &((const struct sockaddr_in6 *)(const void *)socket)->sin6_addr,
               sizeof ret_address->bytes);
        return true;
    }
    return false;
}

bool address_is_ipv4(const struct address *address)
{
    return memcmp(address->bytes, mapped, sizeof mapped) == 0;
}

const char *address_format(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
    const char *written =
        address_is_ipv4(address)
            ? inet_ntop(AF_INET, address->bytes + sizeof mapped, text, ADDRESS_TEXT_SIZE)
            : inet_ntop(AF_INET6, address->bytes, text, ADDRESS_TEXT_SIZE);
    if (!written)
        text[0] = '\0';
    return text;
}

bool address_is_loopback(const struct address *address)
{
    static const struct address ipv6_loopback = {.bytes = {[15] = 1}};
    if (address_is_ipv4(address))
        return address->bytes[sizeof mapped] == 127;
    return memcmp(address, &ipv6_loopback, sizeof *address) == 0;
}

/* FNV-1a. */
uint64_t address_hash(const struct address *address)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    size_t len = address_is_ipv4(address) ? sizeof address->bytes : sizeof address->bytes / 2;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ address->bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

int network_parse(const char *text, struct network *ret_network)
{
    const char *slash = strchr(text, '/');
    struct slice host = {text, slash ? (size_t)(slash - text) : strlen(text)};
    struct network network = {.bits = 128};
    if (address_parse(host, &network.address) < 0)
        return -EINVAL;
    if (slash) {
        uint64_t bits;
        unsigned skipped = memchr(host.at, ':', host.len) ? 0 : MAPPED_BITS;
        if (parse_u64(slash + 1, &bits) < 0 || bits > 128 - skipped)
            return -EINVAL;
        network.bits = (unsigned)bits + skipped;
    }
    *ret_network = network;
    return 0;
}

bool network_contains(const struct network *network, const struct address *address)
{
    size_t whole = network->bits / 8;
    if (memcmp(network->address.bytes, address->bytes, whole) != 0)
        return false;
    unsigned left = network->bits % 8;
    if (left == 0)
        return true;
    uint8_t difference = network->address.bytes[whole] ^ address->bytes[whole];
    return difference >> (8 - left) == 0;
}
