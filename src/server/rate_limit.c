/* SPDX-License-Identifier: MIT */
#include "server/rate_limit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/list.h"
#include "base/slice.h"
#include "base/util.h"
#include "server/address.h"

/* Every window is equally long and is renewed only by moving its entry to the
 * end of `by_age`, so the list's first entry is always the one whose window
 * ends first: what makes room costs no search. */

enum { KEY_SIZE = 56 }; /* a multiple of 8; longer names of clients are cut */

struct entry {
    struct list age;
    uint32_t next;      /* in its bucket's chain: index + 1, 0 ends it */
    char key[KEY_SIZE]; /* padded with NULs */
    uint64_t count;
    uint64_t window_end_ms;
};

struct rate_limiter {
    uint64_t limit;
    uint64_t window_ms;
    uint64_t seed; /* so that nobody can choose addresses that share a bucket */
    size_t max_clients;
    size_t used; /* the entries behind these were never touched, and cost no memory */
    size_t bucket_mask;
    struct list by_age;
    struct entry *entries;
    uint32_t *buckets; /* index + 1 of a chain's first entry, 0: empty */
};

struct rate_limiter *rate_limiter_new(uint64_t limit, uint64_t window_ms, size_t max_clients)
{
    struct rate_limiter *limiter = calloc(1, sizeof *limiter);
    if (!limiter)
        return NULL;
    size_t buckets = 1;
    while (buckets < max_clients)
        buckets *= 2;
    limiter->limit = limit;
    limiter->window_ms = window_ms;
    limiter->max_clients = MAX(max_clients, (size_t)1);
    limiter->bucket_mask = buckets - 1;
    limiter->entries = calloc(limiter->max_clients, sizeof *limiter->entries);
    limiter->buckets = calloc(buckets, sizeof *limiter->buckets);
    if (!limiter->entries || !limiter->buckets ||
        getrandom(&limiter->seed, sizeof limiter->seed, 0) != sizeof limiter->seed) {
        rate_limiter_free(limiter);
        return NULL;
    }
    list_init(&limiter->by_age);
    return limiter;
}

void rate_limiter_free(struct rate_limiter *limiter)
{
    if (!limiter)
        return;
    int saved = errno;
    free(limiter->entries);
    free(limiter->buckets);
    free(limiter);
    errno = saved;
}

/* One IPv6 customer has a whole /64: its addresses are one client. */
static void make_key(const char *client, char key[KEY_SIZE])
{
    memset(key, 0, KEY_SIZE);
    struct address address;
    if (address_parse(slice_of(client), &address) < 0 || address_is_ipv4(&address)) {
        memcpy(key, client, strnlen(client, KEY_SIZE));
        return;
    }
    memset(address.bytes + 8, 0, 8);
    char text[ADDRESS_TEXT_SIZE];
    (void)address_format(&address, text);
    memcpy(key, text, strnlen(text, sizeof text));
    key[KEY_SIZE - 1] = 'n'; /* never the key of the address text itself */
}

static size_t bucket_of(const struct rate_limiter *limiter, const char key[KEY_SIZE])
{
    uint64_t hash = limiter->seed;
    for (size_t at = 0; at < KEY_SIZE; at += sizeof hash) {
        uint64_t word;
        memcpy(&word, key + at, sizeof word);
        hash = (hash ^ word) * 0x9E3779B97F4A7C15ULL;
        hash ^= hash >> 32 ^ limiter->seed;
    }
    return (size_t)(hash ^ hash >> 29) & limiter->bucket_mask;
}

static struct entry *find(const struct rate_limiter *limiter, const char key[KEY_SIZE])
{
    uint32_t at = limiter->buckets[bucket_of(limiter, key)];
    while (at && memcmp(limiter->entries[at - 1].key, key, KEY_SIZE) != 0)
        at = limiter->entries[at - 1].next;
    return at ? &limiter->entries[at - 1] : NULL;
}

static void unchain(struct rate_limiter *limiter, const struct entry *entry)
{
    uint32_t wanted = (uint32_t)(entry - limiter->entries) + 1;
    uint32_t *link = &limiter->buckets[bucket_of(limiter, entry->key)];
    while (*link != wanted)
        link = &limiter->entries[*link - 1].next;
    *link = entry->next;
}

/* An unused one, else that of the client whose window ends first. */
static struct entry *take_entry(struct rate_limiter *limiter)
{
    if (limiter->used < limiter->max_clients) {
        struct entry *unused = &limiter->entries[limiter->used++];
        list_append(&limiter->by_age, &unused->age);
        return unused;
    }
    struct entry *oldest = CONTAINER_OF(limiter->by_age.next, struct entry, age);
    unchain(limiter, oldest);
    return oldest;
}

static struct entry *add(struct rate_limiter *limiter, const char key[KEY_SIZE])
{
    struct entry *entry = take_entry(limiter);
    memcpy(entry->key, key, KEY_SIZE);
    uint32_t *first = &limiter->buckets[bucket_of(limiter, key)];
    entry->next = *first;
    *first = (uint32_t)(entry - limiter->entries) + 1;
    entry->window_end_ms = 0;
    return entry;
}

static struct rate_state state_of(const struct rate_limiter *limiter, uint64_t count,
                                  uint64_t reset_ms)
{
    return (struct rate_state){
        .allowed = count <= limiter->limit,
        .limit = limiter->limit,
        .remaining = limiter->limit - MIN(count, limiter->limit),
        .reset_ms = reset_ms,
        .window_ms = limiter->window_ms,
    };
}

struct rate_state rate_limiter_take(struct rate_limiter *limiter, const char *client,
                                    uint64_t now_ms)
{
    char key[KEY_SIZE];
    make_key(client, key);
    struct entry *entry = find(limiter, key);
    if (!entry)
        entry = add(limiter, key);
    if (now_ms >= entry->window_end_ms) {
        entry->count = 0;
        entry->window_end_ms = now_ms + limiter->window_ms;
        list_remove(&entry->age);
        list_append(&limiter->by_age, &entry->age);
    }
    if (entry->count < UINT64_MAX)
        entry->count++;
    return state_of(limiter, entry->count, entry->window_end_ms - now_ms);
}

struct rate_state rate_limiter_look(const struct rate_limiter *limiter, const char *client,
                                    uint64_t now_ms)
{
    char key[KEY_SIZE];
    make_key(client, key);
    const struct entry *entry = find(limiter, key);
    if (!entry || now_ms >= entry->window_end_ms)
        return state_of(limiter, 0, limiter->window_ms);
    return state_of(limiter, entry->count, entry->window_end_ms - now_ms);
}
