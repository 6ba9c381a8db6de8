/* SPDX-License-Identifier: MIT */
#include "codec/signed_path.h"

#include <jansson.h>
#include <nettle/base16.h>
#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "codec/json_read.h"

enum {
    TEXT_MAX = 512, /* of a signed text */
    PAYLOAD_MAX = BASE64_ENCODE_RAW_LENGTH(TEXT_MAX),
    SIG_LENGTH = 2 * SHA256_DIGEST_SIZE,
};

static void sign(struct slice text, struct slice key, char ret_sig[SIG_LENGTH])
{
    struct hmac_sha256_ctx hmac;
    uint8_t digest[SHA256_DIGEST_SIZE];
    hmac_sha256_set_key(&hmac, key.len, (const uint8_t *)key.at);
    hmac_sha256_update(&hmac, text.len, (const uint8_t *)text.at);
    hmac_sha256_digest(&hmac, sizeof digest, digest);
    base16_encode_update(ret_sig, sizeof digest, digest);
}

void signed_path_write(struct buf *buf, const char *path, uint64_t expires_s, struct slice key)
{
    char text[TEXT_MAX];
    char payload[PAYLOAD_MAX];
    char sig[SIG_LENGTH];
    int len = snprintf(text, sizeof text, "{\"path\":\"%s\",\"exp\":%llu,\"method\":\"GET\"}", path,
                       (unsigned long long)expires_s);
    if (len < 0 || (size_t)len >= sizeof text) {
        buf->failed = true;
        return;
    }
    struct base64_encode_ctx base64;
    base64url_encode_init(&base64);
    size_t payload_len = base64_encode_update(&base64, payload, (size_t)len, (const uint8_t *)text);
    char last[BASE64_ENCODE_FINAL_LENGTH];
    size_t last_len = base64_encode_final(&base64, last);
    while (last_len > 0 && last[last_len - 1] == '=')
        last_len--;
    sign((struct slice){text, (size_t)len}, key, sig);
    buf_add_format(buf, "%s?payload=", path);
    buf_add(buf, payload, payload_len);
    buf_add(buf, last, last_len);
    buf_add_text(buf, "&sig=");
    buf_add(buf, sig, sizeof sig);
}

/* The text's length, 0 when it is none. */
static size_t decode(const char *payload, char text[TEXT_MAX])
{
    size_t len = strlen(payload);
    size_t text_len = TEXT_MAX;
    uint8_t decoded[BASE64_DECODE_LENGTH(PAYLOAD_MAX + 4)];
    struct base64_decode_ctx base64;
    if (len == 0 || len > PAYLOAD_MAX)
        return 0;
    base64url_decode_init(&base64);
    text_len = sizeof decoded;
    if (!base64_decode_update(&base64, &text_len, decoded, len, payload))
        return 0;
    /* What is missing of the padding, which nettle wants. */
    size_t more = 0;
    size_t padding = (4 - len % 4) % 4;
    if (padding > 0 &&
        (padding > 2 || !base64_decode_update(&base64, &more, decoded + text_len, padding, "==")))
        return 0;
    if (text_len > TEXT_MAX)
        return 0;
    memcpy(text, decoded, text_len);
    return text_len;
}

static bool is_signed(struct slice text, const char *sig, const struct slice *keys,
                      size_t key_count)
{
    bool good = false;
    if (strlen(sig) != SIG_LENGTH)
        return false;
    for (size_t i = 0; i < key_count; i++) {
        char expected[SIG_LENGTH];
        sign(text, keys[i], expected);
        good |= memeql_sec(expected, sig, sizeof expected) != 0;
    }
    return good;
}

const char *signed_path_check(const char *path, const char *payload, const char *sig,
                              const struct slice *keys, size_t key_count, uint64_t now_s)
{
    char text[TEXT_MAX];
    struct slice signed_path = {0};
    struct slice method = {0};
    uint64_t expires_s = 0;
    struct err err;
    if (!payload || !sig)
        return "missing signature";
    size_t len = decode(payload, text);
    if (len == 0 || !is_signed((struct slice){text, len}, sig, keys, key_count))
        return "invalid signature";
    auto_json json_t *signed_text = json_read_object((struct slice){text, len}, &err);
    if (!signed_text || json_read_text(signed_text, "path", &signed_path, &err) < 0 ||
        json_read_text(signed_text, "method", &method, &err) < 0 ||
        json_read_u64(signed_text, "exp", &expires_s, &err) < 0)
        return "invalid signature";
    if (!slice_is(signed_path, path))
        return "path mismatch";
    if (!slice_is(method, "GET"))
        return "method mismatch";
    return expires_s >= now_s ? NULL : "url expired";
}
