/* SPDX-License-Identifier: MIT */
/* The Redis of fake_servers.h. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/redis_private.h"
#include "fake_reply.h"
#include "fake_servers.h"

enum { PENDING_MAX = 1024, CHANNELS_MAX = 256 };

struct pending {
    redis_reply_fn *fn;
    void *context;
};

struct channel {
    char name[128];
    unsigned wanted;
    bool is_told; /* who waits for it */
    void (*ready)(void *context);
    void *context;
};

struct redis {
    struct redis_config config;
    bool is_connected;
    struct pending pending[PENDING_MAX];
    size_t pending_count;
    struct channel channels[CHANNELS_MAX];
    size_t channel_count;
};

static struct redis *redis_there;

/* ---- redis.h ---- */

int redis_check_url(const char *url, struct err *err)
{
    (void)url, (void)err;
    return 0;
}

struct redis *redis_new(struct loop *on, const struct redis_config *config, struct err *err)
{
    (void)err;
    assert(on && !redis_there);
    redis_there = calloc(1, sizeof *redis_there);
    assert(redis_there);
    redis_there->config = *config;
    return redis_there;
}

bool redis_is_connected(const struct redis *redis)
{
    return redis->is_connected;
}

int redis_command_argv(struct redis *redis, redis_reply_fn *fn, void *context, size_t argc,
                       const struct slice *argv)
{
    assert(argc > 0 && argv[0].len > 0);
    for (size_t i = 0; i < argc; i++)
        free(servers_copy(argv[i])); /* all of it is there */
    if (!redis->is_connected || redis->pending_count == PENDING_MAX)
        return -1;
    redis->pending[redis->pending_count++] = (struct pending){fn, context};
    return 0;
}

static struct channel *find_channel(struct redis *redis, const char *name)
{
    for (size_t i = 0; i < redis->channel_count; i++) {
        if (strcmp(redis->channels[i].name, name) == 0)
            return &redis->channels[i];
    }
    return NULL;
}

int redis_subscribe(struct redis *redis, const char *name, void (*ready)(void *context),
                    void *context)
{
    struct channel *channel = find_channel(redis, name);
    assert(strlen(name) < sizeof channel->name);
    if (!channel && redis->channel_count == CHANNELS_MAX)
        return -1;
    if (!channel) {
        channel = &redis->channels[redis->channel_count++];
        *channel = (struct channel){.wanted = 0};
        (void)snprintf(channel->name, sizeof channel->name, "%s", name);
    }
    channel->wanted++;
    if (ready) {
        channel->ready = ready;
        channel->context = context;
        channel->is_told = false;
    }
    return 0;
}

void redis_unsubscribe(struct redis *redis, const char *name)
{
    struct channel *channel = find_channel(redis, name);
    if (!channel || channel->wanted == 0 || --channel->wanted > 0)
        return;
    *channel = redis->channels[--redis->channel_count];
}

void redis_free(struct redis *redis)
{
    assert(redis == redis_there);
    redis_there = NULL;
    free(redis);
}

/* ---- what it says ---- */

static void answer_oldest(const struct redis_reply *reply)
{
    if (!redis_there || redis_there->pending_count == 0)
        return;
    struct pending oldest = redis_there->pending[0];
    redis_there->pending_count--;
    memmove(redis_there->pending, redis_there->pending + 1,
            redis_there->pending_count * sizeof oldest);
    if (oldest.fn)
        oldest.fn(oldest.context, reply);
}

static void tell_ready(void)
{
    for (size_t i = 0; redis_there && redis_there->is_connected && i < redis_there->channel_count;
         i++) {
        struct channel *channel = &redis_there->channels[i];
        if (!channel->ready || channel->is_told)
            continue;
        channel->is_told = true;
        channel->ready(channel->context);
        i = (size_t)-1; /* they may have changed */
    }
}

static void redis_comes(void)
{
    if (!redis_there || redis_there->is_connected)
        return;
    redis_there->is_connected = true;
    redis_there->config.events.connected(redis_there->config.context);
}

/* Nobody waits any more for a channel: those who are wanted are asked for again. */
static void redis_goes(void)
{
    struct err err;
    if (!redis_there || !redis_there->is_connected)
        return;
    redis_there->is_connected = false;
    for (size_t i = 0; i < redis_there->channel_count; i++)
        redis_there->channels[i].ready = NULL;
    while (redis_there->pending_count > 0)
        answer_oldest(NULL);
    (void)err_set(&err, ERR_BROKER, "it has gone");
    redis_there->config.events.lost(redis_there->config.context, &err);
}

static void answer_by(struct slice lines)
{
    struct redis_reply *reply = fake_reply(lines);
    if (reply)
        answer_oldest(reply);
    redis_reply_free(reply);
}

static void answer_all(const struct redis_reply *reply)
{
    size_t count = redis_there ? redis_there->pending_count : 0;
    for (; count > 0; count--)
        answer_oldest(reply);
}

static void say_message(struct slice rest)
{
    char name[128];
    struct slice payload = servers_line(rest, name, sizeof name);
    if (!redis_there || !redis_there->is_connected || !find_channel(redis_there, name))
        return;
    char *copy = servers_copy(payload);
    redis_there->config.events.message(redis_there->config.context, name,
                                       (struct slice){copy, payload.len});
    free(copy);
}

/* ---- steps ---- */

bool fake_stream_step(char letter, struct slice rest)
{
    static const struct redis_reply refusal = {.kind = REDIS_ERROR, .text = {"OOM", 3}};
    const struct redis_reply number = {.kind = REDIS_INTEGER,
                                       .integer = rest.len > 0 ? (int64_t)servers_number(rest) : 1};
    if (letter == 'c')
        redis_comes();
    else if (letter == 'l')
        redis_goes();
    else if (letter == 'r')
        answer_by(rest);
    else if (letter == 'q')
        answer_all(&number);
    else if (letter == 'Q')
        answer_all(&refusal);
    else if (letter == 'm')
        say_message(rest);
    else
        return false;
    return true;
}

void fake_stream_tell(void)
{
    tell_ready();
}

bool fake_stream_is_gone(void)
{
    return !redis_there;
}
