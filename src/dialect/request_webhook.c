/* SPDX-License-Identifier: MIT */
#include "dialect/request_webhook.h"

#include <inttypes.h>
#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <stdio.h>
#include <string.h>

void request_webhook_secret(const unsigned char ours[WEBHOOK_SECRET_SIZE], uint64_t key,
                            unsigned char ret_secret[WEBHOOK_SECRET_SIZE])
{
    struct hmac_sha256_ctx hmac;
    char text[32];
    int len = snprintf(text, sizeof text, "key %" PRIu64, key);
    hmac_sha256_set_key(&hmac, WEBHOOK_SECRET_SIZE, ours);
    hmac_sha256_update(&hmac, (size_t)len, (const uint8_t *)text);
    hmac_sha256_digest(&hmac, WEBHOOK_SECRET_SIZE, ret_secret);
}

void request_webhook_text(const unsigned char secret[WEBHOOK_SECRET_SIZE],
                          char ret_text[WEBHOOK_SECRET_TEXT_SIZE])
{
    struct base64_encode_ctx base64;
    char *at = ret_text + sprintf(ret_text, "whsec_");
    base64_encode_init(&base64);
    at += base64_encode_update(&base64, at, WEBHOOK_SECRET_SIZE, secret);
    at += base64_encode_final(&base64, at);
    *at = '\0';
}
