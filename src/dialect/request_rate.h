/* SPDX-License-Identifier: MIT */
/* request_rate.h — the rate of the key that asks. */
#ifndef RUNNEL_DIALECT_REQUEST_RATE_H
#define RUNNEL_DIALECT_REQUEST_RATE_H

#include <stdbool.h>

struct accounts;
struct http_request;

/* Takes one from the caller's bucket and says in RateLimit-* headers what is left;
 * false: nothing was, and 429 with Retry-After was answered. */
bool request_take_rate(struct accounts *accounts, struct http_request *request);

#endif
