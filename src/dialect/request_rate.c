/* SPDX-License-Identifier: MIT */
#include "dialect/request_rate.h"

#include "account/account.h"
#include "dialect/request_answer.h"
#include "dialect/request_window.h"
#include "server/http.h"

bool request_take_rate(struct accounts *accounts, struct http_request *request)
{
    struct account_rate rate = accounts_take(accounts, http_request_key(request));
    struct err err;
    if (!rate.limited)
        return true;
    request_add_number(request, "RateLimit-Limit", rate.limit);
    request_add_number(request, "RateLimit-Remaining", rate.remaining);
    request_add_number(request, "RateLimit-Reset", request_in_seconds(rate.reset_ms));
    if (rate.allowed)
        return true;
    request_add_number(request, "Retry-After", request_in_seconds(rate.retry_ms));
    (void)err_set(&err, ERR_RATE_LIMITED, "rate limit exceeded");
    request_answer_err(request, &err);
    return false;
}
