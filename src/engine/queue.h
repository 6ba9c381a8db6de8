/* SPDX-License-Identifier: MIT */
/* queue.h — runs that wait for a slot: first come, first served, and no more
 * than can be answered in time (private to the engine). */
#ifndef RUNNEL_ENGINE_QUEUE_H
#define RUNNEL_ENGINE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"

struct run;

struct queue {
    struct list runs;
    size_t len;
    size_t max;
};

void queue_init(struct queue *queue, size_t max);
/* False when full; `free_slots` runs in it do not really wait. */
bool queue_add(struct queue *queue, struct run *run, size_t free_slots);
void queue_remove(struct queue *queue, struct run *run);
struct run *queue_first(const struct queue *queue);
size_t queue_position(const struct queue *queue, const struct run *run);

#endif
