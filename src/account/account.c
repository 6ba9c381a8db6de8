/* SPDX-License-Identifier: MIT */
#include "account/account.h"

#include <stdlib.h>
#include <string.h>

#include "account/account_private.h"
#include "base/cleanup.h"
#include "loop/loop.h"

enum { LOOK_MS = 1000, MS_OF_A_DAY = 24 * 60 * 60 * 1000 };

/* A question to the store. It may be answered when we are gone. */
struct ask {
    struct list link;
    struct accounts *accounts; /* NULL: gone */
    bool is_timers;
    void (*done)(void *context, const struct err *err);
    void *context;
};

/* --- what the store knows --- */

/* Also a revoked one counts: who takes the last key back does not open the doors. */
static void notice_keys(struct accounts *accounts)
{
    accounts->has_keys = accounts->has_keys || accounts->keys.count > 0;
}

static bool put_keys(struct accounts *accounts, const struct store_key *rows, size_t count)
{
    bool fine = true;
    for (size_t i = 0; i < count; i++)
        fine = account_keys_put(&accounts->keys, &rows[i]) && fine;
    notice_keys(accounts);
    return fine;
}

/* All rows that there are. One that was there and is not any more is revoked. */
static void take_keys(struct accounts *accounts, const struct store_key *rows, size_t count)
{
    struct account_keys *keys = &accounts->keys;
    for (size_t i = 0; i < keys->count; i++)
        keys->rows[i]->is_listed = keys->rows[i]->from_environment;
    (void)put_keys(accounts, rows, count); /* what found no memory is missing, and is no key */
    for (size_t i = 0; i < keys->count; i++) {
        struct store_key *row = &keys->rows[i]->row;
        if (!keys->rows[i]->is_listed && row->revoked_ms == 0)
            row->revoked_ms = account_unix_ms();
    }
}

static struct ask *ask_new(struct accounts *accounts)
{
    struct ask *ask = calloc(1, sizeof *ask);
    if (!ask)
        return NULL;
    ask->accounts = accounts;
    list_append(&accounts->asks, &ask->link);
    return ask;
}

static void ask_free(struct ask *ask)
{
    list_remove(&ask->link);
    free(ask);
}

/* On an error what was known before holds, and the next look tries again. */
static void on_keys(void *context, const struct store_key *keys, size_t count,
                    const struct err *err)
{
    struct ask *ask = context;
    struct accounts *accounts = ask->accounts;
    if (accounts && ask->is_timers)
        accounts->is_asking = false;
    if (accounts && !err && keys)
        take_keys(accounts, keys, count);
    if (accounts && accounts->looked)
        accounts->looked(accounts->looked_context);
    if (accounts && ask->done)
        ask->done(ask->context, err);
    ask_free(ask);
}

static void on_usage(void *context, const struct store_usage *usages, size_t count,
                     const struct err *err)
{
    struct ask *ask = context;
    struct accounts *accounts = ask->accounts;
    for (size_t i = 0; accounts && !err && i < count; i++) {
        struct account_key *key = account_keys_find(&accounts->keys, usages[i].key);
        if (key)
            account_quota_add_used(key, &usages[i]);
    }
    ask_free(ask);
}

/* --- looking at it now and then --- */

/* Once, in the loop's first turn: nothing that this process did can be in it. */
static void ask_for_usage(struct accounts *accounts)
{
    struct ask *ask = ask_new(accounts);
    accounts->knows_usage = true;
    if (ask)
        store_usage_list(accounts->store, account_unix_ms() / MS_OF_A_DAY, on_usage, ask);
}

static void on_look(void *context)
{
    struct accounts *accounts = context;
    loop_timer_start(accounts->timer, LOOK_MS);
    if (!accounts->knows_usage)
        ask_for_usage(accounts);
    struct ask *ask = accounts->is_asking ? NULL : ask_new(accounts);
    if (!ask)
        return;
    ask->is_timers = true;
    accounts->is_asking = true;
    store_key_list(accounts->store, true, on_keys, ask);
}

void accounts_reload(struct accounts *accounts, void (*done)(void *context, const struct err *err),
                     void *context)
{
    struct err err;
    struct ask *ask = accounts->store ? ask_new(accounts) : NULL;
    if (!ask) {
        (void)err_set(&err, ERR_INTERNAL, "the keys cannot be read: out of memory");
        if (done)
            done(context, accounts->store ? &err : NULL);
        return;
    }
    ask->done = done;
    ask->context = context;
    store_key_list(accounts->store, true, on_keys, ask);
}

/* --- the object --- */

static void on_keys_now(void *context, const struct store_key *keys, size_t count,
                        const struct err *err)
{
    struct accounts *accounts = context;
    if (!err && !put_keys(accounts, keys, count))
        accounts->store = NULL; /* told apart below */
}

static int read_keys(struct accounts *accounts, struct store *store, const char *api_keys,
                     struct err *err)
{
    if (api_keys && account_api_keys_read(&accounts->keys, api_keys, err) < 0)
        return -1;
    accounts->store = store;
    if (store && store_key_list_now(store, on_keys_now, accounts, err) < 0)
        return err_wrap(err, "the keys cannot be read");
    if (accounts->store != store)
        return err_set(err, ERR_INTERNAL, "the keys cannot be read: out of memory");
    notice_keys(accounts);
    return 0;
}

struct accounts *accounts_new(struct loop *loop, struct store *store,
                              const struct accounts_config *config, struct err *err)
{
    struct accounts *accounts = calloc(1, sizeof *accounts);
    if (!accounts) {
        (void)err_set(err, ERR_INTERNAL, "accounts: out of memory");
        return NULL;
    }
    list_init(&accounts->asks);
    memcpy(accounts->secret, config->secret, sizeof accounts->secret);
    accounts->cookie_ms = config->cookie_ms;
    account_cookie_name(accounts);
    if (read_keys(accounts, store, config->api_keys, err) < 0) {
        accounts_free(accounts);
        return NULL;
    }
    if (store) {
        accounts->timer = loop_timer_new(loop, on_look, accounts);
        loop_timer_start(accounts->timer, 0);
    }
    return accounts;
}

void accounts_free(struct accounts *accounts)
{
    if (!accounts)
        return;
    int saved = errno;
    list_for_each_safe (member, following, &accounts->asks) {
        CONTAINER_OF(member, struct ask, link)->accounts = NULL;
        list_remove(member);
    }
    loop_timer_free(accounts->timer);
    account_keys_fini(&accounts->keys);
    explicit_bzero(accounts, sizeof *accounts);
    free(accounts);
    errno = saved;
}

bool accounts_have_keys(const struct accounts *accounts)
{
    return accounts->has_keys;
}

void accounts_on_looked(struct accounts *accounts, void (*looked)(void *context), void *context)
{
    accounts->looked = looked;
    accounts->looked_context = context;
}

bool accounts_is_good(const struct accounts *accounts, uint64_t key)
{
    return key == 0 ? !accounts->has_keys : account_keys_good(&accounts->keys, key) != NULL;
}

unsigned accounts_scopes(const struct accounts *accounts, uint64_t key)
{
    const struct account_key *good = account_keys_good(&accounts->keys, key);
    if (good)
        return good->row.scopes;
    return accounts_is_good(accounts, key) ? SCOPES_ALL : 0;
}

/* --- who asks --- */

int accounts_by_token(struct accounts *accounts, const char *token, struct caller *ret_caller,
                      struct err *err)
{
    unsigned char digest[STORE_DIGEST_SIZE];
    if (!accounts->has_keys) {
        *ret_caller = (struct caller){.scopes = SCOPES_ALL};
        return 0;
    }
    if (!token)
        return err_set(err, ERR_UNAUTHORIZED, "missing bearer token");
    const struct account_key *key = NULL;
    if (strnlen(token, TOKEN_MAX + 1) <= TOKEN_MAX) {
        account_token_digest(token, digest);
        key = account_keys_by_digest(&accounts->keys, digest);
    }
    if (!key)
        return err_set(err, ERR_UNAUTHORIZED, "invalid token");
    account_keys_caller(key, ret_caller);
    return 0;
}

void accounts_list(struct accounts *accounts,
                   void (*each)(void *context, const struct account_state *state), void *context)
{
    for (size_t i = 0; i < accounts->keys.count; i++) {
        struct account_key *key = accounts->keys.rows[i];
        struct store_key row = key->row;
        account_quota_turn_day(key);
        memset(row.token_digest, 0, sizeof row.token_digest);
        struct account_state state = {
            .key = &row,
            .from_environment = key->from_environment,
            .running = key->running,
            .today_runs = key->today_runs,
            .today_run_ms = key->today_run_ms,
        };
        each(context, &state);
    }
}
