/* SPDX-License-Identifier: MIT */
#include "fake_store.h"

#include <assert.h>

#include "account/account.h"

struct store_key *fake_store_add(struct store *store, const char *token, const char *label)
{
    assert(store->count < FAKE_KEYS);
    struct store_key *key = &store->keys[store->count++];
    *key = (struct store_key){
        .number = store->count, .label = label, .scopes = STORE_SCOPE_RUN | STORE_SCOPE_FILES};
    account_token_digest(token, key->token_digest);
    store->changed = true;
    return key;
}

int store_key_list_now(struct store *store, store_keys_fn *each, void *context, struct err *err)
{
    if (store->fails)
        return err_set(err, ERR_INTERNAL, "the disk is gone");
    each(context, store->keys, store->count, NULL);
    return 0;
}

static void ask(struct store *store, struct fake_question question)
{
    assert(store->asked_count < FAKE_ASKED);
    store->asked[store->asked_count++] = question;
}

void store_key_list(struct store *store, bool only_if_changed, store_keys_fn *done, void *context)
{
    ask(store, (struct fake_question){
                   .only_if_changed = only_if_changed, .on_keys = done, .context = context});
}

void store_usage_list(struct store *store, uint64_t from_day, store_usages_fn *done, void *context)
{
    ask(store, (struct fake_question){
                   .usage = true, .from_day = from_day, .on_usages = done, .context = context});
}

static void answer(struct store *store, const struct fake_question *question)
{
    struct err err = {.code = ERR_INTERNAL, .text = "the disk is gone"};
    if (store->fails && question->usage)
        question->on_usages(question->context, NULL, 0, &err);
    else if (store->fails)
        question->on_keys(question->context, NULL, 0, &err);
    else if (question->usage)
        question->on_usages(question->context, store->usages, store->usage_count, NULL);
    else if (question->only_if_changed && !store->changed)
        question->on_keys(question->context, NULL, 0, NULL);
    else
        question->on_keys(question->context, store->keys, store->count, NULL);
    store->changed = store->changed && (question->usage || store->fails);
}

size_t fake_store_answer(struct store *store)
{
    size_t count = store->asked_count;
    for (size_t i = 0; i < count; i++)
        answer(store, &store->asked[i]);
    store->asked_count -= count;
    return count;
}
