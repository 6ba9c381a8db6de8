/* SPDX-License-Identifier: MIT */
#include "dialect/request_rate.h"

#include <inttypes.h>
#include <stdio.h>

#include "account/account.h"
#include "dialect/request_answer.h"
#include "server/http.h"

static void add_number(struct http_request *request, const char *name, uint64_t number)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRIu64, number);
    http_add_header(request, name, text);
}

static uint64_t in_seconds(uint64_t ms)
{
    return (ms + 999) / 1000;
}

bool request_take_rate(struct accounts *accounts, struct http_request *request)
{
    struct account_rate rate = accounts_take(accounts, http_request_key(request));
    struct err err;
    if (!rate.limited)
        return true;
    add_number(request, "RateLimit-Limit", rate.limit);
    add_number(request, "RateLimit-Remaining", rate.remaining);
    add_number(request, "RateLimit-Reset", in_seconds(rate.reset_ms));
    if (rate.allowed)
        return true;
    add_number(request, "Retry-After", in_seconds(rate.retry_ms));
    (void)err_set(&err, ERR_RATE_LIMITED, "rate limit exceeded");
    request_answer_err(request, &err);
    return false;
}
