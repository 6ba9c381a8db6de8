/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <inttypes.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "account/account_private.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "base/util.h"

/* "key.expiry.random.signature": the key's number, Unix seconds, and two texts in
 * base64url. What the key may is not in it: that is asked anew each time. */

enum { SIGNATURE_SIZE = RANDOM_TEXT_SIZE + 1 }; /* with a '=' for a moment */
static_assert(20 + 1 + 20 + 1 + NONCE_SIZE + 1 + SIGNATURE_SIZE <= ACCOUNT_COOKIE_SIZE,
              "a cookie has its room");

/* The words in front keep what is signed here apart from all else that this secret
 * may ever sign. */
static void sign(const struct accounts *accounts, struct slice text,
                 char ret_signature[SIGNATURE_SIZE])
{
    static const char purpose[] = "runnel cookie: ";
    unsigned char digest[SHA256_DIGEST_SIZE];
    struct hmac_sha256_ctx hmac;
    hmac_sha256_set_key(&hmac, sizeof accounts->secret, accounts->secret);
    hmac_sha256_update(&hmac, sizeof purpose - 1, (const uint8_t *)purpose);
    hmac_sha256_update(&hmac, text.len, (const uint8_t *)text.at);
    hmac_sha256_digest(&hmac, sizeof digest, digest);
    account_base64url(digest, sizeof digest, ret_signature);
}

/* A part of a signature, and of what is no cookie: it lets nobody in. */
void account_cookie_name(struct accounts *accounts)
{
    char signature[SIGNATURE_SIZE];
    sign(accounts, slice_of("name"), signature);
    (void)snprintf(accounts->cookie_name, sizeof accounts->cookie_name, "runnel_%.8s", signature);
}

const char *accounts_cookie_name(const struct accounts *accounts)
{
    return accounts->cookie_name;
}

int accounts_make_cookie(struct accounts *accounts, const struct caller *caller,
                         char ret_cookie[ACCOUNT_COOKIE_SIZE], struct err *err)
{
    unsigned char random[NONCE_BYTES];
    char nonce[NONCE_SIZE];
    char signature[SIGNATURE_SIZE];
    if (!account_keys_good(&accounts->keys, caller->key))
        return err_set(err, ERR_UNAUTHORIZED, "there is no key to log in with");
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return err_sys(err, errno, "getrandom");
    account_base64url(random, sizeof random, nonce);
    int len = snprintf(ret_cookie, ACCOUNT_COOKIE_SIZE, "%" PRIu64 ".%" PRIu64 ".%s", caller->key,
                       (account_unix_ms() + accounts->cookie_ms) / 1000, nonce);
    sign(accounts, (struct slice){ret_cookie, (size_t)len}, signature);
    (void)snprintf(ret_cookie + len, ACCOUNT_COOKIE_SIZE - (size_t)len, ".%s", signature);
    return 0;
}

struct login {
    uint64_t key;
    uint64_t expiry_s;
    char nonce[NONCE_SIZE];
};

/* Of a text that we signed. */
static int read_cookie(const char *cookie, struct login *ret_login)
{
    char copy[ACCOUNT_COOKIE_SIZE];
    (void)snprintf(copy, sizeof copy, "%s", cookie);
    char *rest = copy;
    const char *key = strsep(&rest, ".");
    const char *expiry = strsep(&rest, ".");
    const char *nonce = strsep(&rest, ".");
    if (!nonce || parse_u64(key, &ret_login->key) < 0 ||
        parse_u64(expiry, &ret_login->expiry_s) < 0)
        return -1;
    (void)snprintf(ret_login->nonce, sizeof ret_login->nonce, "%s", nonce);
    return 0;
}

static int check_cookie(const struct accounts *accounts, const char *cookie,
                        struct login *ret_login)
{
    char signature[SIGNATURE_SIZE];
    size_t len = strnlen(cookie, ACCOUNT_COOKIE_SIZE);
    const char *dot = len < ACCOUNT_COOKIE_SIZE ? strrchr(cookie, '.') : NULL;
    if (!dot)
        return -1;
    sign(accounts, (struct slice){cookie, (size_t)(dot - cookie)}, signature);
    size_t signature_len = strlen(signature);
    if (strlen(dot + 1) != signature_len || !memeql_sec(dot + 1, signature, signature_len))
        return -1;
    return read_cookie(cookie, ret_login);
}

/* --- logins that were ended --- */

static bool is_ended(const struct account_key *key, const struct login *login)
{
    for (size_t i = 0; key->logouts && i < LOGOUTS_OF_KEY_MAX; i++) {
        if (key->logouts[i].expiry_s == login->expiry_s &&
            strcmp(key->logouts[i].nonce, login->nonce) == 0)
            return true;
    }
    return login->expiry_s <= key->logins_end_s;
}

/* The key of a login that is good; NULL: it has ended. */
static struct account_key *key_of(const struct accounts *accounts, const struct login *login)
{
    struct account_key *key = account_keys_good(&accounts->keys, login->key);
    bool is_good = key && account_unix_ms() / 1000 < login->expiry_s && !is_ended(key, login);
    return is_good ? key : NULL;
}

/* What is not remembered must not be good again: so all go that are as old. */
static void remember_logout(struct account_key *key, const struct login *login)
{
    if (!key->logouts)
        key->logouts = calloc(LOGOUTS_OF_KEY_MAX, sizeof *key->logouts);
    if (!key->logouts) {
        key->logins_end_s = MAX(key->logins_end_s, login->expiry_s);
        return;
    }
    struct account_logout *place = key->logouts;
    for (size_t i = 1; i < LOGOUTS_OF_KEY_MAX; i++) {
        if (key->logouts[i].expiry_s < place->expiry_s)
            place = &key->logouts[i];
    }
    key->logins_end_s = MAX(key->logins_end_s, place->expiry_s);
    place->expiry_s = login->expiry_s;
    memcpy(place->nonce, login->nonce, sizeof place->nonce);
}

void accounts_end_cookie(struct accounts *accounts, const char *cookie)
{
    struct login login;
    if (check_cookie(accounts, cookie, &login) < 0)
        return;
    struct account_key *key = key_of(accounts, &login);
    if (key)
        remember_logout(key, &login);
}

int accounts_by_cookie(struct accounts *accounts, const char *cookie, struct caller *ret_caller,
                       struct err *err)
{
    struct login login;
    if (check_cookie(accounts, cookie, &login) < 0)
        return err_set(err, ERR_UNAUTHORIZED, "invalid login");
    const struct account_key *key = key_of(accounts, &login);
    if (!key)
        return err_set(err, ERR_UNAUTHORIZED, "the login has ended");
    account_keys_caller(key, ret_caller);
    return 0;
}
