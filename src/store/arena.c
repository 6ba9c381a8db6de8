/* SPDX-License-Identifier: MIT */
#include "store/arena.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/util.h"

enum { BLOCK_SIZE = 2048, ALIGNMENT = _Alignof(max_align_t) };

struct arena_block {
    struct arena_block *older;
    size_t used;
    size_t size;
    _Alignas(max_align_t) char bytes[];
};

void arena_fini(struct arena *arena)
{
    while (arena->newest) {
        struct arena_block *block = arena->newest;
        arena->newest = block->older;
        free(block);
    }
    arena->failed = false;
}

static struct arena_block *block_new(struct arena *arena, size_t size)
{
    struct arena_block *block = calloc(1, sizeof *block + MAX(size, BLOCK_SIZE));
    if (!block)
        return NULL;
    block->size = MAX(size, BLOCK_SIZE);
    block->older = arena->newest;
    arena->newest = block;
    return block;
}

void *arena_get(struct arena *arena, size_t size)
{
    struct arena_block *block = arena->newest;
    size_t padded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (padded < size || padded > PTRDIFF_MAX / 2)
        block = NULL;
    else if (!block || block->size - block->used < padded)
        block = block_new(arena, padded);
    if (!block) {
        arena->failed = true;
        return NULL;
    }
    void *piece = block->bytes + block->used;
    block->used += padded;
    return piece;
}

struct slice arena_slice(struct arena *arena, struct slice bytes)
{
    char *copy = arena_get(arena, bytes.len + 1);
    if (copy && bytes.len > 0)
        memcpy(copy, bytes.at, bytes.len);
    return (struct slice){copy, copy ? bytes.len : 0};
}

char *arena_text(struct arena *arena, const char *text)
{
    return text ? (char *)arena_slice(arena, slice_of(text)).at : NULL;
}
