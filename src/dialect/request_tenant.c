/* SPDX-License-Identifier: MIT */
#include "dialect/request_tenant.h"

#include "server/address.h"
#include "server/http.h"

#define NO_KEY (UINT64_C(1) << 63)

uint64_t request_tenant_of(uint64_t key, const char *client)
{
    struct address address;
    if (key != 0)
        return key;
    if (address_parse(slice_of(client), &address) < 0)
        return NO_KEY;
    return NO_KEY | address_hash(&address);
}

uint64_t request_tenant(const struct http_request *request)
{
    return request_tenant_of(http_request_key(request), http_request_client(request));
}
