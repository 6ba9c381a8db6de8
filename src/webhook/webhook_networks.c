/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/util.h"
#include "webhook/webhook_private.h"

enum { MAPPED_BITS = 96, ADDRESS_BITS = 128, TEXT_MAX = 64 };

/* clang-format off */
/* IANA's registries of special-purpose addresses, as far as they are not globally
 * reachable. Of IPv6 only 2000::/3 is, so the rest needs no rows. */
static const char *const special[] = {
    "0.0.0.0/8",       /* "this network": Linux connects 0.0.0.0 to itself */
    "10.0.0.0/8",      /* private */
    "100.64.0.0/10",   /* carriers' own; some clouds' metadata */
    "127.0.0.0/8",     /* loopback */
    "169.254.0.0/16",  /* link-local; most clouds' metadata */
    "172.16.0.0/12",   /* private */
    "192.0.0.0/24",    /* protocols' own */
    "192.0.2.0/24",    /* documentation */
    "192.88.99.0/24",  /* relays of 6to4 */
    "192.168.0.0/16",  /* private */
    "198.18.0.0/15",   /* benchmarks */
    "198.51.100.0/24", /* documentation */
    "203.0.113.0/24",  /* documentation */
    "224.0.0.0/4",     /* multicast */
    "240.0.0.0/4",     /* reserved, and broadcast */
    "2001::/23",       /* protocols' own: Teredo, ORCHID, benchmarks */
    "2001:db8::/32",   /* documentation */
    "3fff::/20",       /* documentation */
};
/* clang-format on */

static const struct webhook_network mapped = {{[10] = 0xFF, [11] = 0xFF}, MAPPED_BITS};
static const struct webhook_network global = {{0x20}, 3};
/* Both carry an IPv4 address to which somebody on the way sends what they get. */
static const struct webhook_network nat64 = {{0, 0x64, 0xFF, 0x9B}, 96};
static const struct webhook_network six_to_four = {{0x20, 0x02}, 16};

static void from_ipv4(const void *ipv4, uint8_t bytes[16])
{
    memcpy(bytes, mapped.bytes, 12);
    memcpy(bytes + 12, ipv4, 4);
}

static bool contains(const struct webhook_network *network, const uint8_t bytes[16])
{
    size_t whole = network->bits / 8;
    unsigned left = network->bits % 8;
    if (memcmp(network->bytes, bytes, whole) != 0)
        return false;
    return left == 0 || (uint8_t)(network->bytes[whole] ^ bytes[whole]) >> (8 - left) == 0;
}

static bool one_contains(const struct webhook_network *networks, size_t count,
                         const uint8_t bytes[16])
{
    for (size_t i = 0; i < count; i++) {
        if (contains(&networks[i], bytes))
            return true;
    }
    return false;
}

/* "10.0.0.0/8", "fd00::/8", "192.0.2.1" */
static int parse(const char *text, struct webhook_network *ret_network)
{
    char copy[TEXT_MAX];
    struct in_addr ipv4;
    uint64_t bits = ADDRESS_BITS;
    unsigned skipped = 0;
    if (strlen(text) >= sizeof copy)
        return -EINVAL;
    memcpy(copy, text, strlen(text) + 1);
    char *slash = strchr(copy, '/');
    if (slash)
        *slash = '\0';
    if (inet_pton(AF_INET, copy, &ipv4) == 1) {
        from_ipv4(&ipv4, ret_network->bytes);
        skipped = MAPPED_BITS;
    } else if (inet_pton(AF_INET6, copy, ret_network->bytes) != 1) {
        return -EINVAL;
    }
    if (slash && (parse_u64(slash + 1, &bits) < 0 || bits > ADDRESS_BITS - skipped))
        return -EINVAL;
    ret_network->bits = slash ? (unsigned)bits + skipped : ADDRESS_BITS;
    return 0;
}

static int parse_all(const char *const *texts, size_t count, struct webhook_network **ret_networks,
                     struct err *err)
{
    auto_free struct webhook_network *networks = calloc(count + 1, sizeof *networks);
    if (!networks)
        return err_sys(err, errno, "webhook_networks");
    for (size_t i = 0; texts && i < count; i++) {
        if (parse(texts[i], &networks[i]) < 0)
            return err_config(err, "webhook_networks",
                              "webhook_networks: '%.80s' is no network (write 10.0.0.0/8 or "
                              "fd00::/8)",
                              texts[i]);
    }
    *ret_networks = take_ptr(&networks);
    return 0;
}

int webhook_networks_init(struct webhook_networks *networks, const char *const *allowed,
                          struct err *err)
{
    *networks = (struct webhook_networks){.refused_count = ARRAY_LEN(special)};
    while (allowed && allowed[networks->allowed_count])
        networks->allowed_count++;
    if (parse_all(special, networks->refused_count, &networks->refused, err) < 0 ||
        parse_all(allowed, networks->allowed_count, &networks->allowed, err) < 0) {
        webhook_networks_fini(networks);
        return -1;
    }
    return 0;
}

void webhook_networks_fini(struct webhook_networks *networks)
{
    int saved = errno;
    free(networks->refused);
    free(networks->allowed);
    *networks = (struct webhook_networks){0};
    errno = saved;
}

static bool is_public(const struct webhook_networks *networks, const uint8_t bytes[16])
{
    uint8_t inner[16];
    if (contains(&nat64, bytes) || contains(&six_to_four, bytes)) {
        from_ipv4(bytes + (contains(&nat64, bytes) ? 12 : 2), inner);
        return !one_contains(networks->refused, networks->refused_count, inner);
    }
    return (contains(&mapped, bytes) || contains(&global, bytes)) &&
           !one_contains(networks->refused, networks->refused_count, bytes);
}

bool webhook_networks_admit(const struct webhook_networks *networks, const struct sockaddr *address)
{
    uint8_t bytes[16];
    if (address->sa_family == AF_INET)
        from_ipv4(&((const struct sockaddr_in *)(const void *)address)->sin_addr, bytes);
    else if (address->sa_family == AF_INET6)
        memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
               sizeof bytes);
    else
        return false;
    return is_public(networks, bytes) ||
           one_contains(networks->allowed, networks->allowed_count, bytes);
}
