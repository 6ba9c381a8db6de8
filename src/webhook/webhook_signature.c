/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <stdio.h>
#include <string.h>

#include "webhook/webhook_private.h"

_Static_assert(WEBHOOK_SIGNATURE_SIZE >=
                   sizeof "v1," + BASE64_ENCODE_RAW_LENGTH(SHA256_DIGEST_SIZE),
               "a signature has its room");

static void add(struct hmac_sha256_ctx *hmac, struct slice text)
{
    hmac_sha256_update(hmac, text.len, (const uint8_t *)text.at);
}

void webhook_sign(struct slice secret, const char *id, uint64_t timestamp_s, struct slice body,
                  char ret_signature[WEBHOOK_SIGNATURE_SIZE])
{
    static const char version[] = "v1,";
    char timestamp[32];
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct hmac_sha256_ctx hmac;
    (void)snprintf(timestamp, sizeof timestamp, ".%" PRIu64 ".", timestamp_s);
    hmac_sha256_set_key(&hmac, secret.len, (const uint8_t *)secret.at);
    add(&hmac, slice_of(id));
    add(&hmac, slice_of(timestamp));
    add(&hmac, body);
    hmac_sha256_digest(&hmac, sizeof digest, digest);
    memcpy(ret_signature, version, sizeof version - 1);
    base64_encode_raw(ret_signature + sizeof version - 1, sizeof digest, digest);
    ret_signature[sizeof version - 1 + BASE64_ENCODE_RAW_LENGTH(sizeof digest)] = '\0';
    explicit_bzero(&hmac, sizeof hmac);
}
