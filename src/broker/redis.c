/* SPDX-License-Identifier: MIT */
#include "broker/redis.h"

#include <assert.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/parse.h"
#include "broker/redis_private.h"

/* Theory of operation. Two connections, which stand and fall together: commands, and
 * channels (a connection that has subscribed takes no other commands). One timer says how
 * long the present state may last:
 *
 *     RESTING ──► CONNECTING ──► CONNECTED
 *        ▲             │              │
 *        └─────────────┴──────────────┘  lost: the pause doubles, up to RETRY_MAX_MS
 *
 * Whoever is called back may free all this. So everything that comes from the loop is
 * framed by enter() and leave(), and the memory goes with the last of these. */

enum { TIMEOUT_MS = 5000, RETRY_MS = 100, RETRY_MAX_MS = 2000 };

enum state { RESTING, CONNECTING, CONNECTED };

struct redis {
    struct loop *loop;
    struct place url;
    char name[64];
    uint64_t timeout_ms;
    uint64_t retry_ms;
    struct redis_events events;
    void *context;

    enum state state;
    struct loop_timer *timer;
    struct loop_task *task; /* those whose channel stands already are told */
    uint64_t pause_ms;      /* the next one */
    uint64_t connected_ns;
    struct redis_lookup *lookup; /* under way, perhaps since an attempt before */
    struct addrinfo *addresses;
    struct place_first first; /* of them */

    struct redis_link commands;
    struct redis_link messages;
    struct redis_channels channels;
    struct redis_pending pending; /* commands that were not answered yet */

    unsigned depth;
    bool is_freed;
};

static void enter(struct redis *redis)
{
    redis->depth++;
}

static void release(struct redis *redis)
{
    explicit_bzero(&redis->url, sizeof redis->url); /* the password */
    free(redis);
}

static void leave(struct redis *redis)
{
    if (--redis->depth == 0 && redis->is_freed)
        release(redis);
}

/* --- the end of a connection --- */

/* From half of the pause to all of it: those who lost it together come back apart. */
static uint64_t next_pause(struct redis *redis)
{
    uint32_t chance = 0;
    bool has_held = redis->state == CONNECTED &&
                    loop_now_ns() - redis->connected_ns >= RETRY_MAX_MS * NS_PER_MS;
    if (has_held)
        redis->pause_ms = redis->retry_ms;
    uint64_t pause_ms = redis->pause_ms;
    redis->pause_ms = MAX(MIN(2 * pause_ms, RETRY_MAX_MS), redis->retry_ms);
    if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) != (ssize_t)sizeof chance)
        return pause_ms;
    return pause_ms - chance % (pause_ms / 2 + 1);
}

static void drop(struct redis *redis, const struct err *err)
{
    if (redis->is_freed)
        return;
    uint64_t pause_ms = next_pause(redis);
    redis->first.is_in_vain = redis->state == CONNECTING;
    redis->state = RESTING;
    redis_link_close(&redis->commands);
    redis_link_close(&redis->messages);
    redis_channels_lost(&redis->channels);
    loop_timer_start(redis->timer, pause_ms);
    while (!redis->is_freed && redis->pending.count > 0)
        redis_pending_answer(&redis->pending, NULL);
    if (!redis->is_freed && redis->events.lost)
        redis->events.lost(redis->context, err);
}

/* --- what comes --- */

static int take_answer(void *context, const struct redis_reply *reply, struct err *err)
{
    struct redis *redis = context;
    if (redis->pending.count == 0 && redis->commands.awaited == 0)
        return redis_link_err(&redis->commands, err, "%s",
                              reply->kind == REDIS_ERROR ? reply->text.at
                                                         : "an answer that nobody asked for");
    if (redis->pending.count < redis->commands.awaited)
        return 1; /* to a PING of ours, which is sent when nothing else is awaited */
    redis_pending_answer(&redis->pending, reply);
    return 1;
}

static void tell_ready(struct redis *redis)
{
    void (*ready)(void *context) = NULL;
    void *context = NULL;
    while (!redis->is_freed && redis->state == CONNECTED &&
           redis_channels_next_ready(&redis->channels, &ready, &context))
        ready(context);
}

static int take_message(void *context, const struct redis_reply *reply, struct err *err)
{
    struct redis *redis = context;
    const struct redis_reply *message = NULL;
    int rc = redis_channels_take(&redis->channels, reply, &message, err);
    if (message && redis->events.message)
        redis->events.message(redis->context, message->items[1].text.at, message->items[2].text);
    tell_ready(redis);
    return rc;
}

static void watch_silence(struct redis *redis)
{
    uint64_t commands_ms = redis_link_check_ms(&redis->commands, redis->timeout_ms);
    uint64_t messages_ms = redis_link_check_ms(&redis->messages, redis->timeout_ms);
    loop_timer_start(redis->timer, MIN(commands_ms, messages_ms));
}

/* A step further, when there is one. */
static int advance(struct redis *redis, struct err *err)
{
    if (redis->is_freed || redis->state != CONNECTING)
        return 0;
    if (redis->messages.state == LINK_UP && !redis->channels.is_open &&
        redis_channels_open(&redis->channels, err) < 0)
        return -1;
    if (redis->commands.state != LINK_UP || redis->messages.state != LINK_UP ||
        redis->channels.unconfirmed > 0)
        return 0;
    redis->state = CONNECTED;
    redis->connected_ns = loop_now_ns();
    watch_silence(redis);
    if (redis->events.connected)
        redis->events.connected(redis->context);
    tell_ready(redis);
    return 0;
}

static void on_ready(struct redis *redis, struct redis_link *link, unsigned ready)
{
    struct err err = {0};
    enter(redis);
    if (redis_link_ready(link, ready, &err) < 0 || advance(redis, &err) < 0)
        drop(redis, &err);
    leave(redis);
}

static void on_commands_ready(void *context, unsigned ready)
{
    struct redis *redis = context;
    on_ready(redis, &redis->commands, ready);
}

static void on_messages_ready(void *context, unsigned ready)
{
    struct redis *redis = context;
    on_ready(redis, &redis->messages, ready);
}

static void on_task(void *context)
{
    struct redis *redis = context;
    enter(redis);
    tell_ready(redis);
    leave(redis);
}

/* --- connecting --- */

static void open_links(struct redis *redis)
{
    struct err err = {0};
    if (redis_link_open(&redis->commands, redis->addresses, &err) < 0 ||
        redis_link_open(&redis->messages, redis->addresses, &err) < 0)
        drop(redis, &err);
}

static void on_found(void *context, struct addrinfo *addresses, const char *why)
{
    struct redis *redis = context;
    struct err err = {0};
    redis->lookup = NULL;
    if (redis->state != CONNECTING) { /* it took too long; the next attempt asks again */
        if (addresses)
            freeaddrinfo(addresses);
        return;
    }
    enter(redis);
    redis->addresses = place_turn(addresses, &redis->first);
    if (addresses) {
        open_links(redis);
    } else {
        (void)redis_link_err(&redis->commands, &err, "%s", why);
        drop(redis, &err);
    }
    leave(redis);
}

static void begin_attempt(struct redis *redis)
{
    struct err err = {0};
    redis->state = CONNECTING;
    loop_timer_start(redis->timer, redis->timeout_ms);
    if (redis->addresses)
        freeaddrinfo(redis->addresses);
    redis->addresses = redis_lookup_figures(&redis->url);
    if (redis->addresses) {
        open_links(redis);
        return;
    }
    if (!redis->lookup) /* else one has been under way for longer than an attempt lasts */
        redis->lookup = redis_lookup_new(redis->loop, &redis->url, on_found, redis);
    if (redis->lookup)
        return;
    (void)redis_link_err(&redis->commands, &err, "no memory");
    drop(redis, &err);
}

static void say_timeout(const struct redis *redis, struct err *err)
{
    char time[32];
    (void)redis_link_err(&redis->commands, err, "%s within %s",
                         redis->lookup ? "its name was not resolved" : "no connection",
                         format_duration(time, sizeof time, redis->timeout_ms));
}

static void on_timer(void *context)
{
    struct redis *redis = context;
    struct err err = {0};
    enter(redis);
    if (redis->state == RESTING) {
        begin_attempt(redis);
    } else if (redis->state == CONNECTING) {
        say_timeout(redis, &err);
        drop(redis, &err);
    } else if (redis_link_check(&redis->commands, redis->timeout_ms, &err) < 0 ||
               redis_link_check(&redis->messages, redis->timeout_ms, &err) < 0) {
        drop(redis, &err);
    } else {
        watch_silence(redis);
    }
    leave(redis);
}

/* --- what is asked --- */

static void prepare_link(struct redis *redis, struct redis_link *link)
{
    *link = (struct redis_link){
        .fd = -1,
        .loop = redis->loop,
        .on_ready = link == &redis->commands ? on_commands_ready : on_messages_ready,
        .take = link == &redis->commands ? take_answer : take_message,
        .context = redis,
        .url = &redis->url,
        .name = redis->name,
    };
}

struct redis *redis_new(struct loop *loop, const struct redis_config *config, struct err *err)
{
    struct redis *redis = calloc(1, sizeof *redis);
    if (!redis) {
        (void)err_set(err, ERR_INTERNAL, "no memory");
        return NULL;
    }
    if (redis_url_parse(config->url, &redis->url, err) < 0) {
        free(redis);
        return NULL;
    }
    redis->loop = loop;
    (void)snprintf(redis->name, sizeof redis->name, "%s", config->name ? config->name : "runnel");
    redis->timeout_ms = config->timeout_ms ? config->timeout_ms : TIMEOUT_MS;
    redis->retry_ms = config->retry_ms ? config->retry_ms : RETRY_MS;
    redis->pause_ms = redis->retry_ms;
    redis->events = config->events;
    redis->context = config->context;
    prepare_link(redis, &redis->commands);
    prepare_link(redis, &redis->messages);
    if (redis_channels_init(&redis->channels, &redis->messages) < 0) {
        (void)err_set(err, ERR_INTERNAL, "no memory");
        free(redis);
        return NULL;
    }
    redis->task = loop_task_new(loop, on_task, redis);
    redis->timer = loop_timer_new(loop, on_timer, redis);
    loop_timer_start(redis->timer, 0);
    return redis;
}

bool redis_is_connected(const struct redis *redis)
{
    return redis->state == CONNECTED;
}

int redis_command_argv(struct redis *redis, redis_reply_fn *fn, void *context, size_t argc,
                       const struct slice *argv)
{
    assert(argc > 0);
    if (redis->state != CONNECTED || redis_pending_add(&redis->pending, fn, context) < 0)
        return -1;
    if (redis_link_send(&redis->commands, 1, argc, argv) == 0)
        return 0;
    redis_pending_take_back(&redis->pending);
    return -1;
}

int redis_subscribe(struct redis *redis, const char *channel, void (*ready)(void *context),
                    void *context)
{
    if (redis_channels_add(&redis->channels, channel, ready, context) < 0)
        return -1;
    if (redis->state == CONNECTED && !list_empty(&redis->channels.confirmed))
        loop_task_schedule(redis->task);
    return 0;
}

void redis_unsubscribe(struct redis *redis, const char *channel)
{
    redis_channels_drop(&redis->channels, channel);
}

void redis_free(struct redis *redis)
{
    if (!redis)
        return;
    redis->is_freed = true;
    redis->state = RESTING;
    redis_link_last_words(&redis->commands);
    redis_link_close(&redis->commands);
    redis_link_close(&redis->messages);
    redis_channels_fini(&redis->channels);
    redis_lookup_abandon(redis->lookup);
    if (redis->addresses)
        freeaddrinfo(redis->addresses);
    loop_task_free(redis->task);
    loop_timer_free(redis->timer);
    redis_pending_fini(&redis->pending);
    if (redis->depth == 0)
        release(redis);
}
