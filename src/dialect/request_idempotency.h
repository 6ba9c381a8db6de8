/* SPDX-License-Identifier: MIT */
/* request_idempotency.h — the header by which a client may send a request once more. */
#ifndef RUNNEL_DIALECT_REQUEST_IDEMPOTENCY_H
#define RUNNEL_DIALECT_REQUEST_IDEMPOTENCY_H

#include "base/err.h"

struct http_request;

/* *ret_key is the caller's; NULL when the request has no Idempotency-Key. */
int request_idempotency_key(const struct http_request *request, char **ret_key, struct err *err);

#endif
