/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fnv.h"
#include "broker/redis_private.h"

/* A channel is remembered while somebody wants it, and while the server still owes an
 * answer about it. Answers come in the order of what was asked: who subscribes is told
 * when that very SUBSCRIBE is confirmed, not an earlier one that an UNSUBSCRIBE follows. */

enum { FIRST_ROWS = 256, NAME_MAX_BYTES = 512, AT_ONCE = 128 };

struct redis_channel {
    struct redis_channel *next_in_row;
    size_t wanted;        /* how many subscribed */
    uint64_t asked;       /* SUBSCRIBEs sent on this connection */
    uint64_t confirmed;   /* and answered */
    size_t unsubscribing; /* UNSUBSCRIBEs not yet answered */
    struct list waiters;
    char name[];
};

struct waiter {
    struct list link;
    const struct redis_channel *channel;
    uint64_t number; /* of the SUBSCRIBE that it waits for */
    void (*ready)(void *context);
    void *context;
};

/* --- the table --- */

static size_t row_of(const struct redis_channels *channels, const char *name)
{
    return (size_t)(fnv_text(name) & (channels->row_count - 1));
}

static struct redis_channel **place_of(const struct redis_channels *channels, const char *name)
{
    struct redis_channel **place = &channels->rows[row_of(channels, name)];
    while (*place && strcmp((*place)->name, name) != 0)
        place = &(*place)->next_in_row;
    return place;
}

/* Without memory for more rows they only get longer. */
static void grow(struct redis_channels *channels)
{
    struct redis_channels larger = {.row_count = channels->row_count * 2};
    larger.rows = calloc(larger.row_count, sizeof *larger.rows);
    if (!larger.rows)
        return;
    for (size_t i = 0; i < channels->row_count; i++) {
        for (struct redis_channel *channel = channels->rows[i], *next; channel; channel = next) {
            next = channel->next_in_row;
            struct redis_channel **row = &larger.rows[row_of(&larger, channel->name)];
            channel->next_in_row = *row;
            *row = channel;
        }
    }
    free(channels->rows);
    channels->rows = larger.rows;
    channels->row_count = larger.row_count;
}

static struct redis_channel *make(struct redis_channels *channels, const char *name)
{
    size_t size = strlen(name) + 1;
    if (channels->count >= channels->row_count)
        grow(channels);
    struct redis_channel *channel = calloc(1, sizeof *channel + size);
    if (!channel)
        return NULL;
    list_init(&channel->waiters);
    memcpy(channel->name, name, size);
    struct redis_channel **row = &channels->rows[row_of(channels, name)];
    channel->next_in_row = *row;
    *row = channel;
    channels->count++;
    return channel;
}

static void release_if_unwanted(struct redis_channels *channels, const char *name)
{
    struct redis_channel **place = place_of(channels, name);
    struct redis_channel *channel = *place;
    if (channel->wanted > 0 || channel->unsubscribing > 0 || channel->asked != channel->confirmed)
        return;
    *place = channel->next_in_row;
    channels->count--;
    free(channel);
}

int redis_channels_init(struct redis_channels *channels, struct redis_link *link)
{
    *channels = (struct redis_channels){.link = link, .row_count = FIRST_ROWS};
    list_init(&channels->confirmed);
    channels->rows = calloc(FIRST_ROWS, sizeof *channels->rows);
    return channels->rows ? 0 : -ENOMEM;
}

/* --- waiters --- */

static void drop_waiters(struct list *waiters, const struct redis_channel *channel)
{
    list_for_each_safe (at, following, waiters) {
        struct waiter *waiter = CONTAINER_OF(at, struct waiter, link);
        if (channel && waiter->channel != channel)
            continue;
        list_remove(at);
        free(waiter);
    }
}

void redis_channels_fini(struct redis_channels *channels)
{
    if (!channels->rows)
        return;
    drop_waiters(&channels->confirmed, NULL);
    for (size_t i = 0; i < channels->row_count; i++) {
        for (struct redis_channel *channel = channels->rows[i], *next; channel; channel = next) {
            next = channel->next_in_row;
            drop_waiters(&channel->waiters, NULL);
            free(channel);
        }
    }
    free(channels->rows);
    channels->rows = NULL;
}

bool redis_channels_next_ready(struct redis_channels *channels, void (**ret_ready)(void *context),
                               void **ret_context)
{
    if (list_empty(&channels->confirmed))
        return false;
    struct waiter *waiter = CONTAINER_OF(channels->confirmed.next, struct waiter, link);
    list_remove(&waiter->link);
    *ret_ready = waiter->ready;
    *ret_context = waiter->context;
    free(waiter);
    return true;
}

/* --- asking --- */

static int ask(struct redis_channels *channels, const char *verb, const char *name)
{
    const struct slice argv[] = {slice_of(verb), slice_of(name)};
    return redis_link_send(channels->link, 1, 2, argv);
}

static int subscribe(struct redis_channels *channels, struct redis_channel *channel)
{
    if (!channels->is_open)
        return 0;
    if (ask(channels, "SUBSCRIBE", channel->name) < 0)
        return -1;
    channel->asked++;
    channels->unconfirmed++;
    return 0;
}

static struct waiter *wait_for(struct redis_channels *channels, struct redis_channel *channel)
{
    struct waiter *waiter = calloc(1, sizeof *waiter);
    if (!waiter)
        return NULL;
    waiter->channel = channel;
    /* Before redis_channels_open it is the first that waits to be sent. */
    waiter->number = channels->is_open ? channel->asked : 1;
    bool is_there = channels->is_open && channel->confirmed == channel->asked;
    list_append(is_there ? &channels->confirmed : &channel->waiters, &waiter->link);
    return waiter;
}

int redis_channels_add(struct redis_channels *channels, const char *name,
                       void (*ready)(void *context), void *context)
{
    if (!*name || strlen(name) > NAME_MAX_BYTES)
        return -1;
    struct redis_channel *channel = *place_of(channels, name);
    if (!channel)
        channel = make(channels, name);
    if (!channel)
        return -1;
    if (channel->wanted == 0 && subscribe(channels, channel) < 0) {
        release_if_unwanted(channels, name);
        return -1;
    }
    channel->wanted++;
    if (!ready)
        return 0;
    struct waiter *waiter = wait_for(channels, channel);
    if (!waiter) {
        redis_channels_drop(channels, name);
        return -1;
    }
    waiter->ready = ready;
    waiter->context = context;
    return 0;
}

void redis_channels_drop(struct redis_channels *channels, const char *name)
{
    struct redis_channel *channel = *place_of(channels, name);
    if (!channel || channel->wanted == 0 || --channel->wanted > 0)
        return;
    drop_waiters(&channel->waiters, NULL);
    drop_waiters(&channels->confirmed, channel);
    /* When there is no room to say it, what still comes is dropped, until the channel is
     * wanted again or the connection ends. */
    if (channels->is_open && ask(channels, "UNSUBSCRIBE", name) == 0)
        channel->unsubscribing++;
    release_if_unwanted(channels, name);
}

static int subscribe_many(struct redis_channels *channels, size_t count,
                          struct redis_channel **many, struct err *err)
{
    struct slice argv[1 + AT_ONCE] = {slice_of("SUBSCRIBE")};
    for (size_t i = 0; i < count; i++) {
        argv[1 + i] = slice_of(many[i]->name);
        many[i]->asked++;
    }
    channels->unconfirmed += count;
    if (count > 0 && redis_link_send(channels->link, count, 1 + count, argv) < 0)
        return redis_link_err(channels->link, err, "too many channels");
    return 0;
}

int redis_channels_open(struct redis_channels *channels, struct err *err)
{
    struct redis_channel *many[AT_ONCE];
    size_t count = 0;
    channels->is_open = true;
    for (size_t i = 0; i < channels->row_count; i++) {
        for (struct redis_channel *at = channels->rows[i]; at; at = at->next_in_row) {
            many[count++] = at;
            if (count < AT_ONCE)
                continue;
            if (subscribe_many(channels, count, many, err) < 0)
                return -1;
            count = 0;
        }
    }
    return subscribe_many(channels, count, many, err);
}

void redis_channels_lost(struct redis_channels *channels)
{
    channels->is_open = false;
    channels->unconfirmed = 0;
    drop_waiters(&channels->confirmed, NULL);
    for (size_t i = 0; i < channels->row_count; i++) {
        for (struct redis_channel *at = channels->rows[i], *next; at; at = next) {
            next = at->next_in_row;
            at->asked = 0;
            at->confirmed = 0;
            at->unsubscribing = 0;
            drop_waiters(&at->waiters, NULL);
            release_if_unwanted(channels, at->name);
        }
    }
}

/* --- what comes --- */

static void confirm(struct redis_channels *channels, struct redis_channel *channel)
{
    channel->confirmed++;
    channels->unconfirmed--;
    list_for_each_safe (at, following, &channel->waiters) {
        const struct waiter *waiter = CONTAINER_OF(at, struct waiter, link);
        if (waiter->number > channel->confirmed)
            break;
        list_remove(at);
        list_append(&channels->confirmed, at);
    }
    release_if_unwanted(channels, channel->name);
}

static int nonsense(const struct redis_channels *channels, struct err *err)
{
    return redis_link_err(channels->link, err, "a message that is none");
}

int redis_channels_take(struct redis_channels *channels, const struct redis_reply *reply,
                        const struct redis_reply **ret_message, struct err *err)
{
    const struct redis_reply *items = reply->items;
    *ret_message = NULL;
    if (reply->kind == REDIS_ERROR)
        return redis_link_err(channels->link, err, "it refuses channels: %s", reply->text.at);
    if (reply->kind == REDIS_STRING)
        return slice_is(reply->text, "PONG") ? 1 : nonsense(channels, err);
    if (reply->kind != REDIS_ARRAY || reply->count < 2 || items[0].kind != REDIS_STRING ||
        items[1].kind != REDIS_STRING)
        return nonsense(channels, err);
    if (slice_is(items[0].text, "pong"))
        return 1;
    if (reply->count != 3 || strlen(items[1].text.at) != items[1].text.len)
        return nonsense(channels, err);
    struct redis_channel *channel = *place_of(channels, items[1].text.at);
    if (slice_is(items[0].text, "message") && items[2].kind == REDIS_STRING) {
        *ret_message = channel && channel->wanted > 0 ? reply : NULL;
        return 0;
    }
    if (slice_is(items[0].text, "subscribe") && channel && channel->confirmed < channel->asked) {
        confirm(channels, channel);
        return 1;
    }
    if (slice_is(items[0].text, "unsubscribe") && channel && channel->unsubscribing > 0) {
        channel->unsubscribing--;
        release_if_unwanted(channels, channel->name);
        return 1;
    }
    return nonsense(channels, err);
}
