/* SPDX-License-Identifier: MIT */
/* request_window.h — the rate of an address, and what headers say of rates. */
#ifndef RUNNEL_DIALECT_REQUEST_WINDOW_H
#define RUNNEL_DIALECT_REQUEST_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "server/rate_limit.h"

struct account_rate;
struct http_request;

/* Takes one from the window of the address that asks. Who is on this machine is exempt,
 * unless loopback_counts. The headers and the refusal are the dialect's. */
struct rate_state request_take_window(struct rate_limiter *limiter, bool loopback_counts,
                                      const struct http_request *request);
/* The same, and nothing is taken. */
struct rate_state request_look_window(const struct rate_limiter *limiter,
                                      const struct http_request *request);

uint64_t request_in_seconds(uint64_t ms); /* rounded up */
void request_add_number(struct http_request *request, const char *name, uint64_t number);
/* RateLimit-* of a key's bucket, and Retry-After when it was empty; nothing of one that has
 * no bounds. */
void request_add_rate(struct http_request *request, const struct account_rate *rate);

#endif
