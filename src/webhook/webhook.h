/* SPDX-License-Identifier: MIT */
/* webhook.h — POSTs to addresses that clients name, with libcurl in our loop.
 *
 * What a client names may be our own network, so the address is judged when the
 * socket is made, after the name was resolved (a name that resolves to something
 * else a second later gains nothing): loopback, private, link-local, multicast
 * and reserved networks are refused, also as IPv4 in IPv6, unless an entry of
 * `allowed` covers them. http and https only, no redirect, no proxy, no cookie,
 * no credentials in the URL; the answer's body is thrown away.
 *
 * Headers: Content-Type: application/json, Webhook-Id: <id>, Webhook-Timestamp:
 * <Unix seconds>, Webhook-Signature: v1,<base64 of HMAC-SHA256(secret, "id.timestamp.body")>
 * (the form of standardwebhooks.com), User-Agent: runnel/<version>.
 */
#ifndef RUNNEL_WEBHOOK_WEBHOOK_H
#define RUNNEL_WEBHOOK_WEBHOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct loop;
struct webhooks;

struct webhooks_config {
    const char *const *allowed; /* "10.0.0.0/8", NULL-ended: private networks that may be called */
    uint64_t timeout_ms;        /* of one attempt: 10 s */
    unsigned at_once;           /* attempts under way: 16 */
};

struct webhooks *webhooks_new(struct loop *loop, const struct webhooks_config *config,
                              struct err *err);
void webhooks_free(struct webhooks *webhooks); /* ends what is under way, without a word */

/* Syntax only: ERR_INVALID with the field "webhook_url" and what is wrong with it. */
int webhook_check_url(const char *url, struct err *err);

/* status: the answer's, 0 when there was none and `err` says why. 2xx is delivered. */
typedef void webhook_fn(void *context, int status, const struct err *err);
struct webhook_message {
    const char *url;
    const char *id;
    struct slice body;
    struct slice secret; /* of the signature */
};
/* One attempt; the message is copied. ERR_BUSY when at_once are under way. */
int webhook_post(struct webhooks *webhooks, const struct webhook_message *message, webhook_fn *done,
                 void *context, struct err *err);

#endif
