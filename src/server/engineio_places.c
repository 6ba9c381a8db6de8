/* SPDX-License-Identifier: MIT */
/* engineio_places.c — the sessions that there are: found by their sid, and opened where
 * their holder has a place for one more. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "server/engineio_private.h"

/* ---- sessions by sid ---- */

/* Keyed, so that no list can be made long; and compared as a whole, so that the
 * time taken says nothing about how much of a guess is right. */
static struct list *bucket_of(const struct engineio *engineio, const char *sid)
{
    uint64_t hash = engineio->seed;
    for (size_t i = 0; i < SID_LEN; i++) {
        hash = (hash ^ (unsigned char)sid[i]) * 0x9E3779B97F4A7C15ULL;
        hash ^= hash >> 32;
    }
    return &engineio->buckets[hash & engineio->bucket_mask];
}

static bool same_sid(const char *a, const char *b)
{
    unsigned difference = 0;
    for (size_t i = 0; i < SID_LEN; i++)
        difference |= (unsigned char)a[i] ^ (unsigned char)b[i];
    return difference == 0;
}

struct engineio_session *engineio_find(const struct engineio *engineio, const char *sid)
{
    if (strlen(sid) != SID_LEN)
        return NULL;
    list_for_each (link, bucket_of(engineio, sid)) {
        struct engineio_session *session = CONTAINER_OF(link, struct engineio_session, link);
        if (same_sid(session->sid, sid))
            return session;
    }
    return NULL;
}

/* ---- shares ---- */

struct share {
    size_t held;
    size_t idle;                     /* of them, those that have no owner */
    struct engineio_session *oldest; /* of these */
};

/* NULL: of all holders together. */
static struct share share_of(const struct engineio *engineio, const uint64_t *holder)
{
    struct share share = {0};
    list_for_each (link, &engineio->opened) {
        struct engineio_session *session = CONTAINER_OF(link, struct engineio_session, age);
        if (holder && session->holder != *holder)
            continue;
        share.held++;
        share.idle += !session->owner;
        if (!session->owner && !share.oldest)
            share.oldest = session;
    }
    return share;
}

/* Is there a place for one more, or can one be made? */
static bool make_room(struct engineio *engineio, uint64_t holder)
{
    size_t max = engineio->config.max_sessions;
    if (engineio->count < max / 4)
        return true;
    struct share own = share_of(engineio, &holder);
    bool has_share = holder == 0 || own.held < max - max / 4;
    if (has_share && engineio->count < max && own.idle < MAX(max / 4, 1))
        return true;
    if (!own.oldest && has_share)
        own = share_of(engineio, NULL);
    if (!own.oldest)
        return false;
    session_end(own.oldest, ENGINEIO_CLOSE);
    return true;
}

struct engineio_session *engineio_open(struct engineio *engineio, enum line line,
                                       const struct engineio_query *query)
{
    if (!make_room(engineio, query->holder))
        return NULL;
    struct engineio_session *session = session_new(engineio, line, query->client);
    if (!session)
        return NULL;
    session->key = query->key;
    session->holder = query->holder;
    list_append(&engineio->opened, &session->age);
    list_append(bucket_of(engineio, session->sid), &session->link);
    engineio->count++;
    return session;
}
