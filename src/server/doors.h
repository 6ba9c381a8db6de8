/* SPDX-License-Identifier: MIT */
/* doors.h — who may talk to us: Host, Origin, and whose X-Forwarded-* counts.
 *
 * Host keeps out DNS rebinding: a page of a foreign name that was made to point
 * at us still sends its own name. Origin keeps out other sites' pages. Both
 * judge texts only; the network is http.h's business.
 */
#ifndef RUNNEL_SERVER_DOORS_H
#define RUNNEL_SERVER_DOORS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/slice.h"
#include "server/address.h"

struct http_config;

struct doors {
    const char *const *server_names; /* borrowed, NULL-ended or NULL */
    const char *const *cors_origins; /* borrowed, NULL-ended or NULL */
    struct network *proxies;
    size_t proxy_count;
};

/* -1 names the entry that is no address, no network or no origin. */
int doors_init(struct doors *doors, const struct http_config *config, struct err *err);
void doors_fini(struct doors *doors);

/* On a loopback listener: localhost, 127.0.0.1, [::1] or a configured name. On
 * another also any literal address, which no DNS answer can forge. */
bool doors_host_allowed(const struct doors *doors, const char *host, bool loopback_listener);

enum origin { ORIGIN_NONE, ORIGIN_ALLOWED, ORIGIN_FOREIGN };
/* Allowed: the request's own (scheme and Host), any of loopback, cors_origins. */
enum origin doors_origin(const struct doors *doors, const char *origin, const char *scheme,
                         const char *host);

bool doors_trust(const struct doors *doors, const struct address *peer);
/* The nearest address that is not a trusted proxy: the peer, or an entry of
 * X-Forwarded-For read from its end, for only what trusted proxies appended
 * there is true. What comes before an unreadable entry is not looked at. */
struct address doors_client(const struct doors *doors, const struct address *peer,
                            struct slice forwarded_for);

#endif
