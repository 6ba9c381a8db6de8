/* SPDX-License-Identifier: MIT */
/* rate_limit.h — so many requests a window for each client address.
 *
 * Fixed windows on the monotonic clock, started by a client's first request.
 * The table of clients is bounded: when it is full the entry whose window ends
 * first makes room, so a flood of invented addresses costs no memory. The
 * addresses of one IPv6 /64 are one client.
 */
#ifndef RUNNEL_SERVER_RATE_LIMIT_H
#define RUNNEL_SERVER_RATE_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rate_limiter;

struct rate_state {
    bool allowed;
    uint64_t limit;
    uint64_t remaining;
    uint64_t reset_ms; /* until the window ends */
    uint64_t window_ms;
};

struct rate_limiter *rate_limiter_new(uint64_t limit, uint64_t window_ms, size_t max_clients);
void rate_limiter_free(struct rate_limiter *limiter);
/* Counts one request of this client at this time. */
struct rate_state rate_limiter_take(struct rate_limiter *limiter, const char *client,
                                    uint64_t now_ms);
/* The same without counting; `allowed` speaks of what was counted so far. */
struct rate_state rate_limiter_look(const struct rate_limiter *limiter, const char *client,
                                    uint64_t now_ms);

#endif
