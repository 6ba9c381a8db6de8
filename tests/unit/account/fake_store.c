/* SPDX-License-Identifier: MIT */
#include "fake_store.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

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

void store_key_add(struct store *store, const struct store_key *key, store_done_fn *done,
                   void *context)
{
    struct fake_question question = {.on_done = done, .context = context, .key = *key};
    (void)snprintf(question.label, sizeof question.label, "%s", key->label);
    ask(store, question);
}

void store_key_revoke(struct store *store, uint64_t number, uint64_t now_ms, store_done_fn *done,
                      void *context)
{
    ask(store, (struct fake_question){.on_done = done,
                                      .context = context,
                                      .revoke = true,
                                      .number = number,
                                      .now_ms = now_ms});
}

static void change(struct store *store, const struct fake_question *question)
{
    struct err err = {.code = ERR_NOT_FOUND, .text = "there is no such key"};
    if (store->fails)
        err = (struct err){.code = ERR_STORAGE_FULL, .text = "the disk is full"};
    bool is_refused = store->fails || (question->revoke && question->number > store->count);
    if (!is_refused && question->revoke) {
        store->keys[question->number - 1].revoked_ms = question->now_ms;
    } else if (!is_refused) {
        size_t at = store->count++;
        memcpy(store->labels[at], question->label, sizeof question->label);
        store->keys[at] = question->key;
        store->keys[at].label = store->labels[at];
        store->keys[at].number = store->count;
    }
    store->changed = store->changed || !is_refused;
    question->on_done(question->context, is_refused ? &err : NULL);
}

static void answer(struct store *store, const struct fake_question *question)
{
    struct err err = {.code = ERR_INTERNAL, .text = "the disk is gone"};
    if (question->on_done) {
        change(store, question);
        return;
    }
    if (store->fails && question->usage)
        question->on_usages(question->context, NULL, 0, &err);
    else if (store->fails || (store->fails_to_list && !question->usage))
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
    size_t count = 0;
    for (; count < store->asked_count; count++) /* an answer may lead to a question */
        answer(store, &store->asked[count]);
    store->asked_count = 0;
    return count;
}
