/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "broker/amqp_private.h"

/* The broker settles one message, or all up to one, in any order: a ring by number, with
 * holes. The one at the head is never a hole. */

static struct posting **slot(const struct confirms *confirms, size_t at)
{
    return &confirms->ring[(confirms->head + at) & (confirms->room - 1)];
}

static int grow(struct confirms *confirms)
{
    size_t room = confirms->room > 0 ? 2 * confirms->room : 64;
    struct posting **ring = calloc(room, sizeof *ring);
    if (!ring)
        return -1;
    for (size_t i = 0; i < confirms->count; i++)
        ring[i] = *slot(confirms, i);
    free(confirms->ring);
    confirms->ring = ring;
    confirms->room = room;
    confirms->head = 0;
    return 0;
}

uint64_t confirms_add(struct confirms *confirms, struct posting *posting)
{
    if (confirms->count == confirms->room && grow(confirms) < 0)
        return 0;
    if (confirms->first == 0)
        confirms->first = 1;
    *slot(confirms, confirms->count) = posting;
    return confirms->first + confirms->count++;
}

struct posting *confirms_find(const struct confirms *confirms, uint64_t number)
{
    if (number < confirms->first || number - confirms->first >= confirms->count)
        return NULL;
    return *slot(confirms, number - confirms->first);
}

static struct posting *take(struct confirms *confirms, uint64_t number)
{
    struct posting *posting = confirms_find(confirms, number);
    if (!posting)
        return NULL;
    *slot(confirms, number - confirms->first) = NULL;
    while (confirms->count > 0 && !*slot(confirms, 0)) {
        confirms->head = (confirms->head + 1) & (confirms->room - 1);
        confirms->first++;
        confirms->count--;
    }
    return posting;
}

struct posting *confirms_take(struct confirms *confirms, uint64_t number, bool multiple)
{
    if (!multiple)
        return take(confirms, number);
    bool is_behind = confirms->count > 0 && confirms->first <= number;
    return is_behind ? take(confirms, confirms->first) : NULL;
}

void confirms_fini(struct confirms *confirms)
{
    free(confirms->ring);
    *confirms = (struct confirms){0};
}
