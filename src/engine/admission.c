/* SPDX-License-Identifier: MIT */
/* admission.c — whether a run may wait: places in the queue, and memory for what it brings with
 * it, each with a share of a tenant's. */
#include "engine/engine_private.h"

/* --- a place --- */

int admission_check_place(enum queue_room room, size_t waiting, struct err *err)
{
    switch (room) {
    case QUEUE_FULL:
        return err_set(err, ERR_BUSY, "%zu runs are waiting already", waiting);
    case QUEUE_FULL_FOR_TENANT:
        return err_set(err, ERR_BUSY,
                       "too many of your runs are waiting already: the rest of the queue is for "
                       "others");
    case QUEUE_HAS_ROOM:
        break;
    }
    return 0;
}

int admission_enter_queue(struct run *run, struct err *err)
{
    struct engine *engine = run->engine;
    struct queue *queue = &engine->queue;
    if (admission_check_place(queue_room(queue, run, engine_free_slots(engine)), queue->len, err) <
        0)
        return -1;
    queue_add(queue, run);
    if (engine_check_wait(engine, run, err) == 0)
        return 0;
    queue_remove(queue, run);
    return -1;
}

/* --- what it brings --- */

static uint64_t *held_by_tenant(const struct run *run)
{
    return &run->engine->held_of[run->tenant % QUEUE_LINES];
}

/* Who holds nothing yet may bring as much as a run can: it would wait in vain otherwise. */
int admission_check_bytes(const struct run *run, size_t len, struct err *err)
{
    const struct engine *engine = run->engine;
    uint64_t max = engine->config.held_bytes;
    uint64_t own = *held_by_tenant(run);
    if (max == 0)
        return 0;
    if (engine->held_bytes > 0 && engine->held_bytes + len > max)
        return err_set(err, ERR_BUSY,
                       "the files and input of runs that are waiting already take %llu MiB: there "
                       "is no room for more",
                       (unsigned long long)(engine->held_bytes / MIB));
    if (own > 0 && own + len > max - max / 4)
        return err_set(err, ERR_BUSY,
                       "the files and input of your runs that are waiting already take %llu MiB: "
                       "the rest of the room is for others",
                       (unsigned long long)(own / MIB));
    return 0;
}

void admission_hold_bytes(struct run *run, size_t len)
{
    run->held_bytes += len;
    run->engine->held_bytes += len;
    *held_by_tenant(run) += len;
}

void admission_release_bytes(struct run *run)
{
    uint64_t len = run->held_bytes;
    if (len == 0)
        return; /* of one that is forgotten the engine may be gone */
    run->held_bytes = 0;
    run->engine->held_bytes -= len;
    *held_by_tenant(run) -= len;
}
