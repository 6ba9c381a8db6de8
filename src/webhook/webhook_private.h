/* SPDX-License-Identifier: MIT */
/* webhook_private.h — what the files of this module share: webhook.c (attempts),
 * webhook_networks.c (whom we may call), webhook_url.c, webhook_signature.c. */
#ifndef RUNNEL_WEBHOOK_WEBHOOK_PRIVATE_H
#define RUNNEL_WEBHOOK_WEBHOOK_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/slice.h"

/* --- webhook_networks.c --- */

struct webhook_network {
    uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;
};

struct webhook_networks {
    struct webhook_network *refused;
    size_t refused_count;
    struct webhook_network *allowed;
    size_t allowed_count;
};

/* allowed: "10.0.0.0/8", NULL-ended; may be NULL. ERR_CONFIG names one that is none. */
int webhook_networks_init(struct webhook_networks *networks, const char *const *allowed,
                          struct err *err);
void webhook_networks_fini(struct webhook_networks *networks);
/* May this address be called? */
bool webhook_networks_admit(const struct webhook_networks *networks,
                            const struct sockaddr *address);

/* --- webhook_signature.c --- */

enum { WEBHOOK_SIGNATURE_SIZE = 48 };
/* "v1,<base64>" of HMAC-SHA256(secret, "id.timestamp.body"). */
void webhook_sign(struct slice secret, const char *id, uint64_t timestamp_s, struct slice body,
                  char ret_signature[WEBHOOK_SIGNATURE_SIZE]);

#endif
