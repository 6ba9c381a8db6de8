/* SPDX-License-Identifier: MIT */
/* queue.h — runs that wait for a slot, and whose turn it is (private to the engine).
 *
 *     lanes     a higher one goes first, as long as anybody waits in it; but one that was
 *               passed over QUEUE_PASSES times in a row gets the next slot, so that
 *               none waits for ever
 *     tenants   in a lane those who have runs there take turns, a run each
 *     runs      of a tenant, in the order in which they came
 *
 * A tenant stands in one of QUEUE_LINES lines, by his number; two who meet in one share its
 * turn. A line may fill three quarters of the queue (rounded up), so that who floods it leaves
 * room for others; a run that was taken is never given up for that of another.
 *
 * Nothing here takes memory, and all takes constant time but queue_place, which looks at
 * the runs before that one.
 */
#ifndef RUNNEL_ENGINE_QUEUE_H
#define RUNNEL_ENGINE_QUEUE_H

#include <stddef.h>

#include "base/list.h"
#include "engine/engine.h"

enum { QUEUE_LINES = 512, QUEUE_PASSES = 7 };

struct queue_line {
    struct list runs; /* run.place */
    struct list turn; /* in its lane's ring, while it has runs */
    size_t len;
};

/* What decides which lane is next. */
struct queue_turns {
    size_t len[LANES];      /* runs that wait in it */
    unsigned passed[LANES]; /* slots in a row that others got meanwhile */
};

struct queue {
    size_t max;
    size_t len;
    struct queue_turns turns;
    struct list rings[LANES]; /* queue_line.turn; the first one is next */
    struct queue_line lines[LANES][QUEUE_LINES];
};

enum queue_room {
    QUEUE_HAS_ROOM,
    QUEUE_FULL,
    QUEUE_FULL_FOR_TENANT, /* others still may */
};

struct queue_place {
    size_t position;      /* 1: the next one */
    size_t before[LANES]; /* runs that get their slot earlier, if nothing changes */
};

void queue_init(struct queue *queue, size_t max);
/* As many as `free_slots` runs in it do not really wait. */
enum queue_room queue_room(const struct queue *queue, const struct run *run, size_t free_slots);
/* The same of any queue of `max` places: `len` runs are in it, and `held` of them are the tenant's.
 */
enum queue_room queue_room_of(size_t max, size_t len, size_t held, size_t free_slots);
/* By its lane and tenant. */
void queue_add(struct queue *queue, struct run *run);
/* The first one gets its slot: it is the others' turn. */
void queue_take(struct queue *queue, struct run *run);
/* Leaves without a slot. */
void queue_remove(struct queue *queue, struct run *run);
struct run *queue_first(const struct queue *queue); /* NULL: none */
struct queue_place queue_place(const struct queue *queue, const struct run *run);

#endif
