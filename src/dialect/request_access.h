/* SPDX-License-Identifier: MIT */
/* request_access.h — who asks, and whether he may: what the HTTP server asks before it
 * reads anything of a body (http_config.authorize).
 *
 * `Authorization: Bearer TOKEN`; else, where a browser cannot send that header (a WebSocket,
 * an EventSource), `?ticket=`; else the cookie of a login. No keys configured: nobody
 * is asked, and tokens are ignored. Outside of /v1 whatever asks for a key asks for the
 * scope `run`, since running programs is all that is there.
 */
#ifndef RUNNEL_DIALECT_REQUEST_ACCESS_H
#define RUNNEL_DIALECT_REQUEST_ACCESS_H

#include "server/http.h"

struct accounts;

struct request_access {
    struct accounts *accounts;
    const char *const *allow_anonymous; /* dialects; NULL-ended, or NULL */
};

/* The `authorize` of http_config; its context is a struct request_access. */
bool request_authorize(void *context, struct http_request *request, const char *mount,
                       const struct http_route *route);

/* The `charge` of http_config: each MiB of an answer costs as much as one more request, where
 * requests have a rate. */
void request_charge(void *context, const struct http_request *request,
                    const struct http_route *route, size_t len);

/* Of a row that is HTTP_OPEN, where a request turns out to be for keys after all: has its key
 * these scopes? Nothing is taken from a rate once more. False: it has answered. */
bool request_may(const struct request_access *access, struct http_request *request,
                 unsigned scopes);

/* May clients of this dialect come without a key? */
bool request_is_anonymous(const struct request_access *access, const char *dialect);

/* ERR_CONFIG for a name that is no dialect of `dialects` (NULL-ended), or one whose
 * clients never go without a key. */
int request_access_check(const char *const *allow_anonymous, const char *const *dialects,
                         struct err *err);

/* 401 as clients know it: {"error": text, "data": null}. */
void request_answer_unauthorized(struct http_request *request, const struct err *err);

#endif
