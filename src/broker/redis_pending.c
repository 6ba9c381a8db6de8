/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>

#include "base/util.h"
#include "broker/redis_private.h"

enum { FIRST_ROOM = 64 };

static struct redis_pending_command *at(const struct redis_pending *pending, size_t index)
{
    return &pending->ring[(pending->first + index) & (pending->room - 1)];
}

static int grow(struct redis_pending *pending)
{
    size_t room = MAX(2 * pending->room, (size_t)FIRST_ROOM);
    struct redis_pending_command *ring = malloc(room * sizeof *ring);
    if (!ring)
        return -1;
    for (size_t i = 0; i < pending->count; i++)
        ring[i] = *at(pending, i);
    free(pending->ring);
    pending->ring = ring;
    pending->room = room;
    pending->first = 0;
    return 0;
}

int redis_pending_add(struct redis_pending *pending, redis_reply_fn *fn, void *context)
{
    if (pending->count >= REDIS_PENDING_MAX)
        return -1;
    if (pending->count == pending->room && grow(pending) < 0)
        return -1;
    *at(pending, pending->count++) = (struct redis_pending_command){fn, context};
    return 0;
}

void redis_pending_take_back(struct redis_pending *pending)
{
    assert(pending->count > 0);
    pending->count--;
}

void redis_pending_answer(struct redis_pending *pending, const struct redis_reply *reply)
{
    assert(pending->count > 0);
    struct redis_pending_command oldest = *at(pending, 0);
    pending->first = (pending->first + 1) & (pending->room - 1);
    pending->count--;
    if (oldest.fn)
        oldest.fn(oldest.context, reply);
}

void redis_pending_fini(struct redis_pending *pending)
{
    free(pending->ring);
    *pending = (struct redis_pending){0};
}
