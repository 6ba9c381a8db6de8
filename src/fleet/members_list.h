/* SPDX-License-Identifier: MIT */
/* members_list.h — whom members.c has seen, and what they are together. */
#ifndef RUNNEL_FLEET_MEMBERS_LIST_H
#define RUNNEL_FLEET_MEMBERS_LIST_H

#include "fleet/wire.h"

struct member_seen {
    struct member member;
    unsigned missed; /* readings without it, one after the other */
};

struct member_list {
    struct member_seen *seen; /* workers, then fronts, by name */
    size_t count;
};

struct member_sums { /* of the workers that do not drain */
    uint64_t slots;
    uint64_t free_slots;
    uint64_t service_ms; /* how long a run holds a slot, weighed by slots; 0: unknown */
};

void member_list_fini(struct member_list *list);
/* A reading: all are missing until they are put. Put is true when somebody is new, or not
 * as before; end, when somebody was missing so often that he is gone. */
void member_list_begin(struct member_list *list);
bool member_list_put(struct member_list *list, const struct member *member);
bool member_list_end(struct member_list *list);
const struct member *member_list_find(const struct member_list *list, bool is_worker,
                                      const char *name);
bool member_list_has_language(const struct member_list *list, const char *language);
struct member_sums member_list_sums(const struct member_list *list);

#endif
