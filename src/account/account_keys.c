/* SPDX-License-Identifier: MIT */
#include <nettle/memops.h>
#include <stdlib.h>
#include <string.h>

#include "account/account_private.h"
#include "codec/utf8.h"

/* Keys are found by their token's digest, and by their number. A key stays once it
 * is here: runs may still end that are its own. */

enum { FIRST_ROOM = 16 };

void account_keys_fini(struct account_keys *keys)
{
    int saved = errno;
    for (size_t i = 0; i < keys->count; i++) {
        free(keys->rows[i]->logouts);
        free(keys->rows[i]);
    }
    free(keys->rows);
    free(keys->by_digest);
    free(keys->by_number);
    *keys = (struct account_keys){0};
    errno = saved;
}

/* A digest is as good as random, and nobody can choose one. */
static size_t digest_place(const struct account_keys *keys, const unsigned char *digest)
{
    uint64_t word;
    memcpy(&word, digest, sizeof word);
    return (size_t)word & keys->mask;
}

static size_t number_place(const struct account_keys *keys, uint64_t number)
{
    return (size_t)(number * 0x9E3779B97F4A7C15ULL >> 32) & keys->mask;
}

static void chain(struct account_keys *keys, struct account_key *key)
{
    struct account_key **digest = &keys->by_digest[digest_place(keys, key->row.token_digest)];
    struct account_key **number = &keys->by_number[number_place(keys, key->row.number)];
    key->next_by_digest = *digest;
    *digest = key;
    key->next_by_number = *number;
    *number = key;
}

/* Room for one more key: at most one a chain, on average. */
static bool grow(struct account_keys *keys)
{
    if (keys->count < keys->room)
        return true;
    size_t room = keys->room > 0 ? 2 * keys->room : FIRST_ROOM;
    struct account_key **rows = reallocarray(keys->rows, room, sizeof(struct account_key *));
    if (!rows)
        return false;
    keys->rows = rows;
    struct account_key **by_digest = calloc(room, sizeof(struct account_key *));
    struct account_key **by_number = calloc(room, sizeof(struct account_key *));
    if (!by_digest || !by_number) {
        free(by_digest);
        free(by_number);
        return false;
    }
    free(keys->by_digest);
    free(keys->by_number);
    keys->by_digest = by_digest;
    keys->by_number = by_number;
    keys->room = room;
    keys->mask = room - 1;
    for (size_t i = 0; i < keys->count; i++)
        chain(keys, keys->rows[i]);
    return true;
}

static void take_row(struct account_key *key, const struct store_key *row)
{
    key->row = *row;
    (void)utf8_for_people(key->label, sizeof key->label, slice_of(row->label ? row->label : ""));
    key->row.label = key->label;
    key->row.burst = MIN(row->burst, (uint64_t)ACCOUNT_BURST_MAX);
    key->row.rate_milli = MIN(row->rate_milli, (uint64_t)ACCOUNT_RATE_MILLI_MAX);
}

struct account_key *account_keys_put(struct account_keys *keys, const struct store_key *row)
{
    struct account_key *key = account_keys_find(keys, row->number);
    if (!key) {
        key = grow(keys) ? calloc(1, sizeof *key) : NULL;
        if (!key)
            return NULL;
        take_row(key, row);
        chain(keys, key);
        keys->rows[keys->count++] = key;
        account_quota_begin(key);
    } else if (memcmp(key->row.token_digest, row->token_digest, STORE_DIGEST_SIZE) == 0) {
        take_row(key, row);
    } else {
        /* Another store's row under this number: neither token is good any more. */
        key->row.revoked_ms = account_unix_ms();
    }
    key->is_listed = true;
    return key;
}

struct account_key *account_keys_find(const struct account_keys *keys, uint64_t number)
{
    struct account_key *key = keys->room > 0 ? keys->by_number[number_place(keys, number)] : NULL;
    while (key && key->row.number != number)
        key = key->next_by_number;
    return key;
}

static bool is_good(const struct account_key *key)
{
    return key->row.revoked_ms == 0 &&
           (key->row.expires_ms == 0 || account_unix_ms() < key->row.expires_ms);
}

struct account_key *account_keys_good(const struct account_keys *keys, uint64_t number)
{
    struct account_key *key = account_keys_find(keys, number);
    return key && is_good(key) ? key : NULL;
}

struct account_key *account_keys_by_digest(const struct account_keys *keys,
                                           const unsigned char digest[STORE_DIGEST_SIZE])
{
    struct account_key *found = NULL;
    struct account_key *key = keys->room > 0 ? keys->by_digest[digest_place(keys, digest)] : NULL;
    for (; key; key = key->next_by_digest) {
        if (memeql_sec(key->row.token_digest, digest, STORE_DIGEST_SIZE) && is_good(key))
            found = key;
    }
    return found;
}

void account_keys_caller(const struct account_key *key, struct caller *ret_caller)
{
    *ret_caller = (struct caller){.key = key->row.number, .scopes = key->row.scopes};
    memcpy(ret_caller->label, key->label, sizeof ret_caller->label);
}
