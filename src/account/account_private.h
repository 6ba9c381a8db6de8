/* SPDX-License-Identifier: MIT */
/* account_private.h — what the files of this module share: account.c (the object,
 * and what it asks of the store), account_keys.c (the table of keys),
 * account_api_keys.c (those of the configuration), account_quota.c (how much a
 * key may), account_cookie.c and account_ticket.c (who one is without a token),
 * account_token.c (tokens and scopes as texts), account_clock.c.
 */
#ifndef RUNNEL_ACCOUNT_ACCOUNT_PRIVATE_H
#define RUNNEL_ACCOUNT_ACCOUNT_PRIVATE_H

#include "account/account.h"
#include "base/list.h"

enum {
    TICKETS_MAX = 1024,
    TICKETS_OF_KEY_MAX = 64, /* so that one key cannot push out the tickets of all others */
    TOKEN_MAX = 1024,        /* bytes; no longer one is looked up */
    RANDOM_TEXT_SIZE = 44,
    LOGOUTS_OF_KEY_MAX = 64,
    NONCE_BYTES = 9,
    NONCE_SIZE = 4 * NONCE_BYTES / 3 + 1,
};
#define SCOPES_ALL (STORE_SCOPE_RUN | STORE_SCOPE_FILES | STORE_SCOPE_ADMIN)

struct account_bucket {
    uint64_t rate_milli; /* 0: no bounds */
    uint64_t burst;
    uint64_t tokens_milli;
    uint64_t filled_ns; /* in the future: until then it owes what comes in */
};

/* A login that was ended before its time. */
struct account_logout {
    char nonce[NONCE_SIZE];
    uint64_t expiry_s; /* 0: a free place */
};

struct account_key {
    struct store_key row; /* its label is the one below */
    char label[64];
    bool from_environment;
    bool is_listed; /* by the store, when it was last asked */
    struct account_key *next_by_digest;
    struct account_key *next_by_number;
    struct account_bucket runs;
    struct account_bucket requests;
    struct account_logout *logouts; /* LOGOUTS_OF_KEY_MAX of them; NULL: there was none */
    uint64_t logins_end_s;          /* logins that end by then are good no more */
    /* the quota */
    uint64_t running;
    uint64_t day; /* that the two below speak of */
    uint64_t day_since_ns;
    uint64_t today_runs;
    uint64_t today_run_ms;
};

struct account_keys {
    struct account_key **rows;
    size_t count;
    size_t room;
    struct account_key **by_digest; /* heads of chains */
    struct account_key **by_number;
    size_t mask; /* of both */
};

struct ticket {
    unsigned char digest[STORE_DIGEST_SIZE];
    uint64_t key;
    uint64_t until_ns; /* 0: a free place */
};

struct accounts {
    struct store *store;
    unsigned char secret[32];
    uint64_t cookie_ms;
    char cookie_name[ACCOUNT_COOKIE_NAME_SIZE];
    struct account_keys keys;
    bool has_keys;
    struct loop_timer *timer;
    bool is_asking;                /* the timer's question is out */
    bool knows_usage;              /* or has asked */
    struct list asks;              /* all that are out */
    void (*looked)(void *context); /* NULL: nobody wants to know */
    void *looked_context;
    struct ticket tickets[TICKETS_MAX];
};

/* account_keys.c */
void account_keys_fini(struct account_keys *keys);
/* Adds the row, or renews it when its number is known. NULL: no memory. */
struct account_key *account_keys_put(struct account_keys *keys, const struct store_key *row);
struct account_key *account_keys_find(const struct account_keys *keys, uint64_t number);
/* One that is neither revoked nor expired; NULL: none. */
struct account_key *account_keys_good(const struct account_keys *keys, uint64_t number);
struct account_key *account_keys_by_digest(const struct account_keys *keys,
                                           const unsigned char digest[STORE_DIGEST_SIZE]);
void account_keys_caller(const struct account_key *key, struct caller *ret_caller);

/* account_cookie.c: when the secret is there. */
void account_cookie_name(struct accounts *accounts);

/* account_api_keys.c: the text into the table. */
int account_api_keys_read(struct account_keys *keys, const char *text, struct err *err);

/* account_quota.c */
void account_quota_begin(struct account_key *key);
/* What the store knows of the key's present day. */
void account_quota_add_used(struct account_key *key, const struct store_usage *usage);
void account_quota_turn_day(struct account_key *key);

/* account_token.c: UTF-8 of at most 63 bytes without control characters. */
bool account_is_label(const char *text);
/* 32 random bytes as 43 characters. */
int account_random_text(char ret_text[RANDOM_TEXT_SIZE], struct err *err);
/* Without padding; ret_text has room for 4 characters a 3 bytes and a NUL. */
void account_base64url(const unsigned char *bytes, size_t len, char *ret_text);

/* account_clock.c: the wall clock, which tests replace. */
uint64_t account_unix_ms(void);

#endif
