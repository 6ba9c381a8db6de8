/* SPDX-License-Identifier: MIT */
#include "dialect/request_window.h"

#include <inttypes.h>
#include <stdio.h>

#include "account/account.h"
#include "base/util.h"
#include "loop/loop.h"
#include "server/http.h"

static uint64_t now_ms(void)
{
    return loop_now_ns() / NS_PER_MS;
}

struct rate_state request_look_window(const struct rate_limiter *limiter,
                                      const struct http_request *request)
{
    return rate_limiter_look(limiter, http_request_client(request), now_ms());
}

struct rate_state request_take_window(struct rate_limiter *limiter, bool loopback_counts,
                                      const struct http_request *request)
{
    if (loopback_counts || !http_request_from_loopback(request))
        return rate_limiter_take(limiter, http_request_client(request), now_ms());
    struct rate_state state = request_look_window(limiter, request);
    state.allowed = true;
    return state;
}

uint64_t request_in_seconds(uint64_t ms)
{
    return (ms + 999) / 1000;
}

void request_add_number(struct http_request *request, const char *name, uint64_t number)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRIu64, number);
    http_add_header(request, name, text);
}

void request_add_rate(struct http_request *request, const struct account_rate *rate)
{
    if (!rate->limited)
        return;
    request_add_number(request, "RateLimit-Limit", rate->limit);
    request_add_number(request, "RateLimit-Remaining", rate->remaining);
    request_add_number(request, "RateLimit-Reset", request_in_seconds(rate->reset_ms));
    if (!rate->allowed)
        request_add_number(request, "Retry-After", request_in_seconds(rate->retry_ms));
}
