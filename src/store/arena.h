/* SPDX-License-Identifier: MIT */
/* arena.h — memory of one call: many small pieces, released together.
 *
 *     struct arena arena = {0};
 *     char *name = arena_text(&arena, from->name);
 *     if (arena.failed) …               tested once, at the end
 *     arena_fini(&arena);
 *
 * A piece for which there is no memory is NULL, and sets `failed`.
 */
#ifndef RUNNEL_STORE_ARENA_H
#define RUNNEL_STORE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct arena {
    struct arena_block *newest;
    bool failed;
};

void arena_fini(struct arena *arena);              /* releases all of it; it may be used again */
void *arena_get(struct arena *arena, size_t size); /* zeroed, aligned for anything */
char *arena_text(struct arena *arena, const char *text); /* NULL stays NULL */
/* A copy with a NUL behind it; never a NULL pointer unless memory is short. */
struct slice arena_slice(struct arena *arena, struct slice bytes);

#endif
