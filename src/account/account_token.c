/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <nettle/base64.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "account/account_private.h"
#include "base/util.h"
#include "codec/utf8.h"

static_assert((size_t)ACCOUNT_TOKEN_SIZE >= sizeof "rk_" - 1 + RANDOM_TEXT_SIZE,
              "a token has its room");
static_assert((int)ACCOUNT_TICKET_SIZE >= (int)RANDOM_TEXT_SIZE, "a ticket has its room");

static const struct {
    const char *name;
    unsigned bit;
} scopes[] = {{"run", STORE_SCOPE_RUN}, {"files", STORE_SCOPE_FILES}, {"admin", STORE_SCOPE_ADMIN}};

void account_base64url(const unsigned char *bytes, size_t len, char *ret_text)
{
    struct base64_encode_ctx encoder;
    base64url_encode_init(&encoder);
    size_t used = base64_encode_update(&encoder, ret_text, len, bytes);
    used += base64_encode_final(&encoder, ret_text + used);
    while (used > 0 && ret_text[used - 1] == '=')
        used--;
    ret_text[used] = '\0';
}

int account_random_text(char ret_text[RANDOM_TEXT_SIZE], struct err *err)
{
    unsigned char bytes[32];
    char padded[BASE64_ENCODE_RAW_LENGTH(sizeof bytes) + 1];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return err_sys(err, errno, "getrandom");
    account_base64url(bytes, sizeof bytes, padded);
    memcpy(ret_text, padded, RANDOM_TEXT_SIZE);
    explicit_bzero(bytes, sizeof bytes);
    explicit_bzero(padded, sizeof padded);
    return 0;
}

void account_token_digest(const char *token, unsigned char ret_digest[32])
{
    struct sha256_ctx sha256;
    sha256_init(&sha256);
    sha256_update(&sha256, strlen(token), (const uint8_t *)token);
    sha256_digest(&sha256, SHA256_DIGEST_SIZE, ret_digest);
}

int account_token_new(char ret_token[ACCOUNT_TOKEN_SIZE], unsigned char ret_digest[32],
                      struct err *err)
{
    char random[RANDOM_TEXT_SIZE];
    if (account_random_text(random, err) < 0)
        return -1;
    (void)snprintf(ret_token, ACCOUNT_TOKEN_SIZE, "rk_%s", random);
    explicit_bzero(random, sizeof random);
    account_token_digest(ret_token, ret_digest);
    return 0;
}

bool account_is_label(const char *text)
{
    for (const char *at = text; *at; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7F)
            return false;
    }
    return strlen(text) < sizeof((struct caller *)NULL)->label && utf8_valid(slice_of(text));
}

int account_check_label(const char *label, struct err *err)
{
    if (*label == '\0' || !account_is_label(label))
        return err_field(err, "label", "label must be a text of 1 to 63 bytes");
    if (label[strspn(label, "0123456789")] == '\0')
        return err_field(err, "label", "label must not be a number: it would be taken for a key's");
    return 0;
}

int account_scopes_parse(const char *text, unsigned *ret_scopes, struct err *err)
{
    unsigned found = 0;
    while (*text) {
        size_t len = strcspn(text, ",");
        unsigned bit = 0;
        for (size_t i = 0; i < ARRAY_LEN(scopes); i++) {
            if (slice_is((struct slice){text, len}, scopes[i].name))
                bit = scopes[i].bit;
        }
        if (bit == 0)
            break;
        found |= bit;
        text += len + (text[len] == ',' && text[len + 1] != '\0');
    }
    if (*text || found == 0)
        return err_field(err, "scopes", "scopes must be a list of run, files and admin");
    *ret_scopes = found;
    return 0;
}

const char *account_scopes_text(unsigned bits, char text[32])
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(scopes); i++) {
        if (bits & scopes[i].bit)
            used += (size_t)snprintf(text + used, 32 - used, "%s%s", used > 0 ? "," : "",
                                     scopes[i].name);
    }
    return text;
}
