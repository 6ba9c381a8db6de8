/* SPDX-License-Identifier: MIT */
/* access.h — logging in, tickets, and keys, over HTTP.
 *
 *     POST   /v1/login           {"key": TOKEN} → 204 and a cookie
 *     POST   /v1/logout          → 204, and the cookie is gone, and good no more
 *     POST   /v1/tickets         → {"ticket", "expires_at"}: for one WebSocket or EventSource
 *     GET    /v1/me              → {"key": label or null, "scopes", "keys_configured"}
 *     GET    /v1/keys            → {"keys": […]}                        scope admin
 *     POST   /v1/keys            {"label", "scopes", "rate", "burst", "concurrency", "daily_ms",
 *                                 "lasts_ms"} → 201 {"number", "label", "token"}, once
 *     DELETE /v1/keys/:number    → 204
 */
#ifndef RUNNEL_DIALECT_ACCESS_H
#define RUNNEL_DIALECT_ACCESS_H

#include <stdint.h>

#include "server/http.h"

struct accounts;
struct rate_limiter;
struct store;

#define ACCESS_NAME "access"

struct access {
    struct accounts *accounts;
    struct store *store;          /* NULL: keys are those of the configuration, and stay so */
    struct rate_limiter *limiter; /* of logins that failed, by client */
    const unsigned char *webhook_secret; /* request_webhook.h */
    uint64_t login_ms;                   /* how long a cookie lasts */
};

extern const struct http_route access_routes[];

#endif
