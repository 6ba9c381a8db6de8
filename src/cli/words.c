/* SPDX-License-Identifier: MIT */
#include "cli/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int words_add(struct words *words, const char *word, struct err *err)
{
    const char **items = reallocarray(words->items, words->count + 2, sizeof *items);
    if (!items)
        return err_sys(err, ENOMEM, "cannot remember '%s'", word);
    items[words->count++] = word;
    items[words->count] = NULL;
    words->items = items;
    return 0;
}

int words_add_list(struct words *words, const struct config_list *list, struct err *err)
{
    for (size_t i = 0; i < list->count; i++) {
        if (words_add(words, list->items[i], err) < 0)
            return -1;
    }
    return 0;
}

bool words_have(const struct words *words, const char *word)
{
    for (size_t i = 0; i < words->count; i++) {
        if (strcmp(words->items[i], word) == 0)
            return true;
    }
    return false;
}

void words_fini(struct words *words)
{
    free(words->items);
    *words = (struct words){0};
}

const char *const *words_list(const struct words *words)
{
    static const char *const none[] = {NULL};
    return words->items ? words->items : none;
}
