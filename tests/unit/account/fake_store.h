/* SPDX-License-Identifier: MIT */
/* fake_store.h — the calls about keys of store.h, on rows that tests write. What is
 * asked is answered by fake_store_answer. */
#ifndef RUNNEL_TESTS_FAKE_STORE_H
#define RUNNEL_TESTS_FAKE_STORE_H

#include "store/store.h"

enum { FAKE_KEYS = 2048, FAKE_ASKED = 64 };

struct fake_question {
    bool usage;
    bool only_if_changed;
    uint64_t from_day;
    store_done_fn *on_done;
    bool revoke;
    uint64_t number;
    uint64_t now_ms;
    struct store_key key;
    char label[64];
    store_keys_fn *on_keys;
    store_usages_fn *on_usages;
    void *context;
};

struct store {
    struct store_key keys[FAKE_KEYS];
    char labels[FAKE_KEYS][64]; /* of those that were added by a call */
    size_t count;
    bool changed;
    bool fails;
    bool fails_to_list;
    struct store_usage usages[8];
    size_t usage_count;
    struct fake_question asked[FAKE_ASKED];
    size_t asked_count;
};

/* A key with this token's digest; its fields may be changed afterwards. */
struct store_key *fake_store_add(struct store *store, const char *token, const char *label);
/* Answers what was asked so far; how many questions that were. */
size_t fake_store_answer(struct store *store);

#endif
