/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "account/account_private.h"
#include "base/cleanup.h"
#include "base/parse.h"

/* "token[:label[:rps[:burst]]], …". A sentence about an entry says which one it is and
 * never shows it: it may be read where tokens must not. */

enum { FIELDS = 4 };

static int refuse(struct err *err, size_t entry, const char *why)
{
    return err_config(err, "api_keys", "api_keys: entry %zu %s", entry, why);
}

/* What an Authorization header can carry, and our lists can hold. */
static bool is_token(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    }
    return len > 0 && len <= TOKEN_MAX;
}

/* Blanks around an entry do not count. */
static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t", text[len - 1]))
        text[--len] = '\0';
    return text;
}

/* 2^62 and 62 bits of the digest: above every number that a store gives, and the same
 * after a restart. */
static uint64_t number_of(const unsigned char digest[STORE_DIGEST_SIZE])
{
    uint64_t word = 0;
    for (size_t i = 0; i < sizeof word; i++)
        word = word << 8 | digest[i];
    return 1ULL << 62 | word >> 2;
}

static int add_entry(struct account_keys *keys, size_t entry, char *text, struct err *err)
{
    const char *fields[FIELDS] = {"", "", "", ""};
    size_t count = 0;
    for (char *field; (field = strsep(&text, ":"));) {
        if (count == FIELDS)
            return refuse(err, entry, "has too many colons: write token:label:rps:burst");
        fields[count++] = field;
    }
    struct store_key row = {.label = *fields[1] ? fields[1] : "default",
                            .scopes = STORE_SCOPE_RUN | STORE_SCOPE_FILES,
                            .rate_milli = ACCOUNT_RATE_MILLI,
                            .burst = ACCOUNT_BURST};
    if (!is_token(fields[0]))
        return refuse(err, entry,
                      "has no token that a header can carry (1 to 1024 ASCII characters, no "
                      "blanks)");
    if (!account_is_label(row.label))
        return refuse(err, entry, "has a label that is no text of at most 63 bytes");
    if (*fields[2] && (parse_milli(fields[2], &row.rate_milli) < 0 || row.rate_milli == 0 ||
                       row.rate_milli > ACCOUNT_RATE_MILLI_MAX))
        return refuse(err, entry, "needs a rate from 0.001 to 1000000 requests a second");
    if (*fields[3] &&
        (parse_u64(fields[3], &row.burst) < 0 || row.burst == 0 || row.burst > ACCOUNT_BURST_MAX))
        return refuse(err, entry, "needs a burst from 1 to 1000000 requests");
    account_token_digest(fields[0], row.token_digest);
    row.number = number_of(row.token_digest);
    if (account_keys_find(keys, row.number))
        return refuse(err, entry, "has the token of an entry before it");
    struct account_key *key = account_keys_put(keys, &row);
    if (!key)
        return err_set(err, ERR_INTERNAL, "api_keys: out of memory");
    key->from_environment = true;
    return 0;
}

int account_api_keys_read(struct account_keys *keys, const char *text, struct err *err)
{
    size_t len = strlen(text);
    char *copy = strdup(text);
    if (!copy)
        return err_set(err, ERR_INTERNAL, "api_keys: out of memory");
    int rc = 0;
    char *rest = copy;
    size_t entry = 0;
    for (char *item; rc == 0 && (item = strsep(&rest, ","));) {
        item = trim(item);
        entry++;
        if (*item) /* a comma too many means nothing */
            rc = add_entry(keys, entry, item, err);
    }
    if (rc == 0 && keys->count == 0)
        rc = err_config(err, "api_keys",
                        "api_keys: there is no key in it; write TOKEN:LABEL, or leave it out");
    explicit_bzero(copy, len);
    free(copy);
    return rc;
}
