/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "language/language_private.h"

void *language_entry_keep(struct language_entry *entry, void *block)
{
    void **kept = block ? reallocarray(entry->kept, entry->kept_count + 1, sizeof *kept) : NULL;
    if (!kept) {
        free(block);
        return NULL;
    }
    entry->kept = kept;
    entry->kept[entry->kept_count++] = block;
    return block;
}

void language_entry_free(struct language_entry *entry)
{
    if (!entry)
        return;
    pattern_fini(&entry->entry_pattern);
    pattern_fini(&entry->main_owner);
    pattern_fini(&entry->main_pattern);
    pattern_fini(&entry->version_pattern);
    for (size_t i = 0; i < entry->kept_count; i++)
        free(entry->kept[i]);
    free(entry->kept);
    free(entry->version);
    free(entry);
}
