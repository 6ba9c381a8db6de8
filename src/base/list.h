/* SPDX-License-Identifier: MIT */
/* list.h — a doubly linked ring whose links are embedded in its members.
 *
 * A head and an unlinked member both point at themselves, so list_remove is
 * safe on a member that is in no list.
 */
#ifndef RUNNEL_BASE_LIST_H
#define RUNNEL_BASE_LIST_H

#include <stdbool.h>

#include "base/util.h"

struct list {
    struct list *next;
    struct list *previous;
};

static inline void list_init(struct list *list)
{
    list->next = list;
    list->previous = list;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

/* Appends at the end. */
static inline void list_append(struct list *head, struct list *member)
{
    member->previous = head->previous;
    member->next = head;
    head->previous->next = member;
    head->previous = member;
}

static inline void list_remove(struct list *member)
{
    member->previous->next = member->next;
    member->next->previous = member->previous;
    list_init(member);
}

#define list_for_each(cursor, head) \
    for (struct list *cursor = (head)->next; cursor != (head); cursor = cursor->next)

/* Allows the body to remove (and free) the member at the cursor. */
#define list_for_each_safe(cursor, following, head)                                       \
    for (struct list *cursor = (head)->next, *following = cursor->next; cursor != (head); \
         cursor = following, following = cursor->next)

#endif
