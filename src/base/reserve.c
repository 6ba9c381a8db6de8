/* SPDX-License-Identifier: MIT */
#include "base/reserve.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Pages that nobody ever needed are none. */
static alignas(max_align_t) char blocks[RESERVE_BLOCKS][RESERVE_BLOCK];
static atomic_bool taken[RESERVE_BLOCKS];

void *reserve_take(size_t size)
{
    void *memory = calloc(1, size);
    for (size_t i = 0; !memory && size <= RESERVE_BLOCK && i < RESERVE_BLOCKS; i++) {
        if (!atomic_exchange(&taken[i], true))
            memory = memset(blocks[i], 0, size);
    }
    return memory;
}

void reserve_give(void *block)
{
    uintptr_t offset = (uintptr_t)block - (uintptr_t)blocks;
    if (block && offset < sizeof blocks)
        atomic_store(&taken[offset / RESERVE_BLOCK], false);
    else
        free(block);
}
