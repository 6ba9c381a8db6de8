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
    request_add_rate(request, &rate);
    if (rate.allowed)
        return true;
    (void)err_set(&err, ERR_RATE_LIMITED, "rate limit exceeded");
    request_answer_err(request, &err);
    return false;
}
