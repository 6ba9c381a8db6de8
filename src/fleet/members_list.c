/* SPDX-License-Identifier: MIT */
#include "fleet/members_list.h"

#include <stdlib.h>
#include <string.h>

/* Redis that was emptied knows nobody for a second: one reading proves nothing. */
enum { MISSED_MAX = 3 };

void member_list_fini(struct member_list *list)
{
    free(list->seen);
    *list = (struct member_list){0};
}

/* --- a reading --- */

void member_list_begin(struct member_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        list->seen[i].missed++;
}

static struct member_seen *find(const struct member_list *list, bool is_worker, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        struct member_seen *seen = &list->seen[i];
        if (seen->member.is_worker == is_worker && strcmp(seen->member.name, name) == 0)
            return seen;
    }
    return NULL;
}

static bool is_same(const struct member *a, const struct member *b)
{
    return a->started_ms == b->started_ms && a->slots == b->slots && a->draining == b->draining &&
           a->without_broker == b->without_broker && strcmp(a->languages, b->languages) == 0;
}

bool member_list_put(struct member_list *list, const struct member *member)
{
    struct member_seen *seen = find(list, member->is_worker, member->name);
    bool is_changed = !seen || !is_same(&seen->member, member);
    if (!seen) {
        seen = reallocarray(list->seen, list->count + 1, sizeof *seen);
        if (!seen)
            return false;
        list->seen = seen;
        seen += list->count++;
    }
    *seen = (struct member_seen){.member = *member};
    return is_changed;
}

static int compare(const void *left, const void *right)
{
    const struct member *a = &((const struct member_seen *)left)->member;
    const struct member *b = &((const struct member_seen *)right)->member;
    return a->is_worker != b->is_worker ? b->is_worker - a->is_worker : strcmp(a->name, b->name);
}

bool member_list_end(struct member_list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (list->seen[i].missed < MISSED_MAX)
            list->seen[kept++] = list->seen[i];
    }
    bool is_changed = kept != list->count;
    list->count = kept;
    if (kept > 1)
        qsort(list->seen, kept, sizeof *list->seen, compare);
    return is_changed;
}

/* --- what is asked --- */

const struct member *member_list_find(const struct member_list *list, bool is_worker,
                                      const char *name)
{
    const struct member_seen *seen = find(list, is_worker, name);
    return seen ? &seen->member : NULL;
}

static bool names_it(const char *languages, const char *language)
{
    size_t len = strlen(language);
    for (const char *at = languages; len > 0 && (at = strstr(at, language)) != NULL; at += len) {
        if ((at == languages || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    }
    return false;
}

static bool takes_jobs(const struct member *member)
{
    return member->is_worker && !member->draining && !member->without_broker;
}

bool member_list_has_language(const struct member_list *list, const char *language)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct member *member = &list->seen[i].member;
        if (takes_jobs(member) && names_it(member->languages, language))
            return true;
    }
    return false;
}

struct member_sums member_list_sums(const struct member_list *list)
{
    struct member_sums sums = {0};
    uint64_t known_slots = 0;
    uint64_t held_ms = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct member *member = &list->seen[i].member;
        if (!takes_jobs(member))
            continue;
        sums.slots += member->slots;
        sums.free_slots += member->slots - MIN(member->running, member->slots);
        if (member->service_ms == 0)
            continue;
        known_slots += member->slots;
        /* What others write is not trusted to stay below an overflow. */
        held_ms += MIN(member->service_ms, (uint64_t)UINT32_MAX) * MIN(member->slots, 65536U);
    }
    sums.service_ms = known_slots ? held_ms / known_slots : 0;
    return sums;
}
