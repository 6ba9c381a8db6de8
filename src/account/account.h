/* SPDX-License-Identifier: MIT */
/* account.h — who may do what, and how much: keys, their rates and quotas, the
 * browser's login, tickets for what cannot send a header.
 *
 * Keys come from two places: API_KEYS (services of this form have it: a comma
 * list token[:label[:rps[:burst]]]) and the store (`runnel key create`), which is
 * looked at again now and then, so that a key made or revoked by another process
 * counts within two seconds. Only digests of tokens are held. While there is no
 * key at all, everybody is key 0 with every scope.
 *
 * Single-threaded; nothing blocks but accounts_new. Times are of the monotonic
 * clock unless they say Unix; a jump of the wall clock changes no rate.
 */
#ifndef RUNNEL_ACCOUNT_ACCOUNT_H
#define RUNNEL_ACCOUNT_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "store/store.h"

struct loop;
struct accounts;

struct accounts_config {
    const char *api_keys;     /* NULL: none; ERR_CONFIG when it cannot be read */
    unsigned char secret[32]; /* signs cookies (store_secret) */
    uint64_t cookie_ms;       /* how long a login lasts */
};

/* store may be NULL: keys of api_keys only. Otherwise it is opened and not yet started:
 * its keys are read at once, so that no door stands open until they are. It is freed
 * after the accounts or before, as long as no loop runs in between. */
struct accounts *accounts_new(struct loop *loop, struct store *store,
                              const struct accounts_config *config, struct err *err);
void accounts_free(struct accounts *accounts);

/* Is there any key that was not revoked? If not, doors are open on loopback, and nobody
 * is asked. Once true it stays true while we live: who revokes the last key wants nobody
 * in, not everybody. An expired key counts. */
bool accounts_have_keys(const struct accounts *accounts);

/* May what was opened with this key still be used? It is neither revoked nor expired; 0:
 * there are no keys. */
bool accounts_is_good(const struct accounts *accounts, uint64_t key);
/* What it may now: nothing, when it is not good. */
unsigned accounts_scopes(const struct accounts *accounts, uint64_t key);
/* Called (NULL: not any more) each time the store was looked at, once a second and after a
 * reload: keys may have been revoked, or have expired. */
void accounts_on_looked(struct accounts *accounts, void (*looked)(void *context), void *context);

/* Who asks. Plain data: it may be kept. */
struct caller {
    uint64_t key;    /* 0: nobody in particular. Keys of api_keys are 2^62 and 62 bits of their
                        token's digest, so that a token is the same key after a restart */
    unsigned scopes; /* STORE_SCOPE_… */
    char label[64];
};

/* By token: ERR_UNAUTHORIZED "missing bearer token" (NULL) or "invalid token". While there
 * are no keys, any token and none are good. */
int accounts_by_token(struct accounts *accounts, const char *token, struct caller *ret_caller,
                      struct err *err);

/* The browser's login: a value for a cookie, made from a token that was good, and back.
 * Signed, not stored; it ends with its time, and with the key. */
enum { ACCOUNT_COOKIE_SIZE = 160, ACCOUNT_TICKET_SIZE = 48, ACCOUNT_TICKET_MS = 30 * 1000 };
int accounts_make_cookie(struct accounts *accounts, const struct caller *caller,
                         char ret_cookie[ACCOUNT_COOKIE_SIZE], struct err *err);
int accounts_by_cookie(struct accounts *accounts, const char *cookie, struct caller *ret_caller,
                       struct err *err);

/* What that cookie is called. Browsers give a host's cookies to all of its ports: services
 * beside each other, each with a secret of its own, must not take theirs for one. */
enum { ACCOUNT_COOKIE_NAME_SIZE = 16 };
const char *accounts_cookie_name(const struct accounts *accounts);

/* It is good no more, as long as we live; the key's other logins stay. Of those that were ended
 * early 64 of a key are remembered: beyond them, the key's logins as old as the oldest of them
 * end, too. One that is not good is passed over. */
void accounts_end_cookie(struct accounts *accounts, const char *cookie);

/* A ticket is good once, for 30 s. At most 1024 are out, and 64 of one key: the oldest goes. */
int accounts_make_ticket(struct accounts *accounts, const struct caller *caller,
                         char ret_ticket[ACCOUNT_TICKET_SIZE], struct err *err);
int accounts_by_ticket(struct accounts *accounts, const char *ticket, struct caller *ret_caller,
                       struct err *err);

/* Takes one from the key's bucket. allowed, and what RateLimit-* headers say. */
struct account_rate {
    bool allowed;
    bool limited;   /* false: this key has no rate */
    uint64_t limit; /* the burst */
    uint64_t remaining;
    uint64_t reset_ms; /* until the bucket is full */
    uint64_t retry_ms; /* until the next one is allowed */
};
struct account_rate accounts_take(struct accounts *accounts, uint64_t key);
/* The same from its other bucket, for requests that make no run (request_access.c says which):
 * ten times as large, and not below 100 a second and 200 at once. */
struct account_rate accounts_take_request(struct accounts *accounts, uint64_t key);
/* So many more from that one, for what turned out to cost more. What is not there it owes: the
 * next is allowed when that has come in. */
void accounts_owe_requests(struct accounts *accounts, uint64_t key, uint64_t count);

/* A run of this key begins: ERR_RATE_LIMITED when it has as many as it may at once, or
 * its day's run-seconds are used up (the text says which, and when to come again). What
 * was allowed must end: with 0 ms when no run came of it, which then is not counted. A
 * run counts against its day when it ends. */
int accounts_run_starts(struct accounts *accounts, uint64_t key, struct err *err);
void accounts_run_ended(struct accounts *accounts, uint64_t key, uint64_t run_ms);

/* Of every key, for the admin page. */
struct account_state {
    const struct store_key *key; /* token_digest zeroed */
    bool from_environment;
    uint64_t running;
    uint64_t today_runs;
    uint64_t today_run_ms;
};
void accounts_list(struct accounts *accounts,
                   void (*each)(void *context, const struct account_state *state), void *context);
/* Look at the store now: a key was made or revoked here, which counts when `done` (or
 * NULL) is called without an error; with one, what was known before holds until a later look.
 * It is not called any more once the accounts are freed. */
void accounts_reload(struct accounts *accounts, void (*done)(void *context, const struct err *err),
                     void *context);

/* A new token: "rk_" and 43 characters of base64url, 256 random bits; and its digest. */
enum { ACCOUNT_TOKEN_SIZE = 48 };
int account_token_new(char ret_token[ACCOUNT_TOKEN_SIZE], unsigned char ret_digest[32],
                      struct err *err);
/* What a key is when nothing is said, and at most. */
enum {
    ACCOUNT_RATE_MILLI = 5000,
    ACCOUNT_BURST = 10,
    ACCOUNT_RATE_MILLI_MAX = 1000000000,
    ACCOUNT_BURST_MAX = 1000000,
};
/* Of a key that is to be made: 1 to 63 bytes of text, and no number, which would be taken
 * for a key's. ERR_INVALID with the field "label". */
int account_check_label(const char *label, struct err *err);
/* SHA-256 of a token, which is all that is kept of it. */
void account_token_digest(const char *token, unsigned char ret_digest[32]);
/* "run,files" to bits, and back. */
int account_scopes_parse(const char *text, unsigned *ret_scopes, struct err *err);
const char *account_scopes_text(unsigned scopes, char text[32]);

#endif
