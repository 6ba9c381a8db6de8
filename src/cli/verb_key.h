/* SPDX-License-Identifier: MIT */
/* verb_key.h — what the files of `runnel key` share: verb_key.c (list, revoke),
 * verb_key_create.c. */
#ifndef RUNNEL_CLI_VERB_KEY_H
#define RUNNEL_CLI_VERB_KEY_H

#include "cli/configure.h"
#include "store/store.h"

struct key_options {
    struct config_flags config; /* first: option_set_config takes it for the target */
    bool json;
    const char *label; /* these are read by key_read */
    const char *rate;
    const char *burst;
    const char *concurrency;
    const char *daily;
    const char *scopes;
    const char *expires;
};

/* "2026-01-02 03:04", of UTC. */
const char *key_format_time(char text[32], uint64_t unix_ms);

/* The key that the options describe, without number and token; its label is borrowed. */
int key_read(const struct key_options *options, uint64_t now_ms, struct store_key *ret_key,
             struct err *err);
/* dir: where the store is, for people who have several. */
int key_create(struct store *store, const char *dir, const struct key_options *options,
               struct err *err);

#endif
