/* SPDX-License-Identifier: MIT */
/* words.h — a growing, NULL-ended list of texts that others own. */
#ifndef RUNNEL_CLI_WORDS_H
#define RUNNEL_CLI_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "config/config.h"

struct words {
    const char **items; /* NULL-ended; NULL when empty */
    size_t count;
};

int words_add(struct words *words, const char *word, struct err *err);
int words_add_list(struct words *words, const struct config_list *list, struct err *err);
bool words_have(const struct words *words, const char *word);
void words_fini(struct words *words);
/* Never NULL: an empty list is a list of no words. */
const char *const *words_list(const struct words *words);

#endif
