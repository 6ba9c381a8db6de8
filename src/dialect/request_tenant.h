/* SPDX-License-Identifier: MIT */
/* request_tenant.h — with whom a client shares the slots fairly (run_spec.tenant). */
#ifndef RUNNEL_DIALECT_REQUEST_TENANT_H
#define RUNNEL_DIALECT_REQUEST_TENANT_H

#include <stdint.h>

struct http_request;

/* The key's number; of a client without one a hash of its address, which never is a key's.
 * The addresses of an IPv6 /64 are one. */
uint64_t request_tenant_of(uint64_t key, const char *client);
uint64_t request_tenant(const struct http_request *request);

#endif
