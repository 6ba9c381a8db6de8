/* SPDX-License-Identifier: MIT */
#include "engine/queue.h"

#include "engine/engine_private.h"

void queue_init(struct queue *queue, size_t max)
{
    *queue = (struct queue){.max = max};
    list_init(&queue->runs);
}

bool queue_add(struct queue *queue, struct run *run, size_t free_slots)
{
    if (queue->len >= free_slots && queue->len - free_slots >= queue->max)
        return false;
    list_append(&queue->runs, &run->place);
    queue->len++;
    return true;
}

void queue_remove(struct queue *queue, struct run *run)
{
    list_remove(&run->place);
    queue->len--;
}

struct run *queue_first(const struct queue *queue)
{
    return list_empty(&queue->runs) ? NULL : CONTAINER_OF(queue->runs.next, struct run, place);
}

size_t queue_position(const struct queue *queue, const struct run *run)
{
    size_t position = 0;
    list_for_each (link, &queue->runs) {
        position++;
        if (link == &run->place)
            return position;
    }
    return 0;
}
