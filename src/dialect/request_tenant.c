/* SPDX-License-Identifier: MIT */
#include "dialect/request_tenant.h"

#include "server/address.h"
#include "server/http.h"

#define NO_KEY (UINT64_C(1) << 63)

/* FNV-1a. Whoever finds two addresses that meet wins nothing: they share one turn. */
static uint64_t hash_of(const uint8_t *bytes, size_t len)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

uint64_t request_tenant_of(uint64_t key, const char *client)
{
    struct address address;
    if (key != 0)
        return key;
    if (address_parse(slice_of(client), &address) < 0)
        return NO_KEY;
    size_t len = address_is_ipv4(&address) ? sizeof address.bytes : sizeof address.bytes / 2;
    return NO_KEY | hash_of(address.bytes, len);
}

uint64_t request_tenant(const struct http_request *request)
{
    return request_tenant_of(http_request_key(request), http_request_client(request));
}
