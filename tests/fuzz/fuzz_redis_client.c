/* SPDX-License-Identifier: MIT */
/* A Redis that says what it likes on both connections of a client, whose owner does what it may.
 * Sockets and clock are played. A form feed between the steps; newlines of what is said become
 * the server's:
 *
 *     k              whatever waits for its connection gets it, and its greetings are answered
 *     c, m BYTES     come on the connection of the commands, of the messages
 *     C, M           that one closes; R: … is refused from now on, or not
 *     w NUMBER       so many bytes go out at a time; t MS: time passes
 *     a WORDS        a command; s, S CHANNEL: it subscribes, and wants to be told when it counts
 *     u CHANNEL      and no more; f: the next that is called frees the client
 *
 * Commands are answered once, in their order; messages are of channels that are wanted; who waits
 * for a channel is told once; and after its end nothing is said. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/parse.h"
#include "broker/redis.h"
#include "fake_loop.h"
#include "lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { CONNECTIONS = 2, CHANNELS_MAX = 32, WAITERS_MAX = 128, STEPS_MAX = 256, SAID_MAX = 65536 };

struct loop_watch {
    int fd; /* -1: it is free */
    unsigned events;
    loop_watch_fn *fn;
    void *context;
};

struct channel {
    char name[600];
    size_t wanted;
};

static struct world {
    struct loop *loop;
    struct redis *redis;
    struct loop_watch watches[CONNECTIONS]; /* of the commands, of the messages */
    struct slice coming;
    bool is_closed; /* by the other side */
    bool refuses;
    size_t room; /* of one send */
    bool is_connected;
    bool frees;
    uintptr_t asked;
    uintptr_t answered;
    struct channel channels[CHANNELS_MAX];
    size_t channel_count;
    const struct channel *waiters[WAITERS_MAX]; /* NULL: told, or not any more */
    uintptr_t waiter_count;
} world;

/* ---- sockets ---- */

int __wrap_socket(int domain, int type, int protocol);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *bytes, size_t size, int flags);

int __wrap_socket(int domain, int type, int protocol)
{
    (void)domain, (void)type, (void)protocol;
    return open("/dev/null", O_RDWR | O_CLOEXEC);
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t size)
{
    (void)fd, (void)address, (void)size;
    errno = EINPROGRESS;
    return -1;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
    (void)fd, (void)level, (void)name, (void)value, (void)size;
    return 0;
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
    (void)fd, (void)level, (void)name, (void)size;
    *(int *)value = world.refuses ? ECONNREFUSED : 0;
    return 0;
}

ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags)
{
    (void)fd;
    assert(flags & MSG_NOSIGNAL);
    free(memcpy(malloc(size + 1), bytes, size)); /* all of it is there */
    if (size > 0 && world.room == 0) {
        errno = EAGAIN;
        return -1;
    }
    return (ssize_t)MIN(size, world.room);
}

ssize_t __wrap_recv(int fd, void *bytes, size_t size, int flags)
{
    (void)fd, (void)flags;
    size_t len = MIN(size, world.coming.len);
    if (len == 0 && !world.is_closed) {
        errno = EAGAIN;
        return -1;
    }
    if (len == 0)
        return 0;
    memcpy(bytes, world.coming.at, len);
    world.coming = (struct slice){world.coming.at + len, world.coming.len - len};
    return (ssize_t)len;
}

/* ---- loop.h, of descriptors ---- */

struct loop_watch *loop_watch_new(struct loop *loop, int fd, unsigned events, loop_watch_fn *fn,
                                  void *context)
{
    struct loop_watch *watch = &world.watches[world.watches[0].fd >= 0];
    assert(loop == world.loop && watch->fd < 0);
    *watch = (struct loop_watch){fd, events, fn, context};
    return watch;
}

void loop_watch_set(struct loop_watch *watch, unsigned events)
{
    assert(watch->fd >= 0);
    watch->events = events;
}

void loop_watch_free(struct loop_watch *watch)
{
    if (watch)
        watch->fd = -1;
}

static void make_ready(const struct loop_watch *watch, unsigned ready)
{
    if (watch->fd >= 0 && (watch->events & ready))
        watch->fn(watch->context, watch->events & ready);
    fake_loop_advance(world.loop, 0);
}

/* ---- its owner ---- */

static void called(void)
{
    assert(world.redis);
    if (!world.frees)
        return;
    redis_free(world.redis);
    world.redis = NULL;
}

static void on_reply(void *context, const struct redis_reply *reply)
{
    assert((uintptr_t)context == world.answered++ && world.answered <= world.asked);
    if (reply)
        (void)redis_reply_number(reply);
    called();
}

static struct channel *find(const char *name)
{
    for (size_t i = 0; i < world.channel_count; i++) {
        if (strcmp(world.channels[i].name, name) == 0)
            return &world.channels[i];
    }
    return NULL;
}

static void forget_waiters(const struct channel *channel)
{
    for (uintptr_t i = 0; i < world.waiter_count; i++) {
        if (!channel || world.waiters[i] == channel)
            world.waiters[i] = NULL;
    }
}

static void on_connected(void *context)
{
    (void)context;
    assert(!world.is_connected && redis_is_connected(world.redis));
    world.is_connected = true;
    called();
}

static void on_lost(void *context, const struct err *err)
{
    (void)context;
    assert(err->text[0] && world.answered == world.asked);
    for (const char *at = err->text; *at; at++)
        assert((unsigned char)*at >= ' ');
    world.is_connected = false;
    forget_waiters(NULL);
    called();
}

static void on_message(void *context, const char *name, struct slice payload)
{
    const struct channel *channel = find(name);
    (void)context;
    assert(channel && channel->wanted > 0);
    assert(payload.len == 0 || payload.at);
    called();
}

static void on_subscribed(void *context)
{
    uintptr_t number = (uintptr_t)context;
    assert(number < world.waiter_count && world.waiters[number]);
    world.waiters[number] = NULL;
    called();
}

static void subscribe(struct channel *channel, bool waits)
{
    uintptr_t number = world.waiter_count;
    waits = waits && number < WAITERS_MAX;
    if (waits)
        world.waiters[world.waiter_count++] = channel;
    if (redis_subscribe(world.redis, channel->name, waits ? on_subscribed : NULL, (void *)number) ==
        0) /* NOLINT: a number */
        channel->wanted++;
    else if (waits)
        world.waiters[number] = NULL;
}

static void talk_of_channel(char letter, struct slice rest)
{
    char name[sizeof world.channels[0].name];
    (void)snprintf(name, sizeof name, "%.*s", (int)MIN(rest.len, sizeof name), rest.at);
    struct channel *channel = find(name);
    if (!channel && world.channel_count < CHANNELS_MAX) {
        channel = &world.channels[world.channel_count++];
        memcpy(channel->name, name, sizeof name);
    }
    if (!channel)
        return;
    if (letter != 'u') {
        subscribe(channel, letter == 'S');
        return;
    }
    redis_unsubscribe(world.redis, name);
    if (channel->wanted > 0 && --channel->wanted == 0)
        forget_waiters(channel);
}

static void ask(struct slice rest)
{
    struct slice argv[4];
    size_t argc = 0;
    while (argc < ARRAY_LEN(argv) - 1 && rest.len > 0) {
        const char *blank = memchr(rest.at, ' ', rest.len);
        size_t len = blank ? (size_t)(blank - rest.at) : rest.len;
        argv[argc++] = (struct slice){rest.at, len};
        rest = (struct slice){rest.at + len + (blank != NULL), rest.len - len - (blank != NULL)};
    }
    argv[argc++] = rest;
    if (redis_command_argv(world.redis, on_reply, (void *)world.asked, argc, argv) ==
        0) /* NOLINT */
        world.asked++;
}

/* ---- the server ---- */

static void say(struct loop_watch *watch, struct slice text)
{
    auto_buf struct buf bytes;
    buf_init(&bytes, SAID_MAX);
    for (size_t i = 0; i < text.len; i++)
        buf_add(&bytes, text.at[i] == '\n' ? "\r\n" : &text.at[i], text.at[i] == '\n' ? 2 : 1);
    world.coming = buf_slice(&bytes);
    make_ready(watch, LOOP_READ);
    world.coming = (struct slice){0};
}

static void connect_all(void)
{
    for (size_t i = 0; i < CONNECTIONS; i++) {
        struct loop_watch *watch = &world.watches[i];
        if (watch->fd < 0 || watch->events != LOOP_WRITE)
            continue;
        make_ready(watch, LOOP_WRITE);
        say(watch, slice_of("+OK\n+PONG\n"));
    }
}

static void hang_up(const struct loop_watch *watch)
{
    world.is_closed = true;
    make_ready(watch, LOOP_READ);
    world.is_closed = false;
}

static uint64_t number_of(struct slice rest)
{
    char text[24];
    uint64_t number = 0;
    (void)snprintf(text, sizeof text, "%.*s", (int)MIN(rest.len, sizeof text), rest.at);
    (void)parse_u64(text, &number);
    return number;
}

static void server_step(char letter, struct slice rest)
{
    struct loop_watch *watch = &world.watches[letter == 'm' || letter == 'M'];
    if (letter == 'k')
        connect_all();
    else if (letter == 'c' || letter == 'm')
        say(watch, rest);
    else if (letter == 'C' || letter == 'M')
        hang_up(watch);
    else if (letter == 'R')
        world.refuses = !world.refuses;
    else if (letter == 'w')
        world.room = (size_t)number_of(rest);
    else if (letter == 't')
        fake_loop_advance(world.loop, MIN(number_of(rest), (uint64_t)20000));
}

static void take_step(char letter, struct slice rest)
{
    if (letter == 'a')
        ask(rest);
    else if (letter && strchr("sSu", letter))
        talk_of_channel(letter, rest);
    else if (letter == 'f')
        world.frees = true;
    else
        server_step(letter, rest);
    for (size_t i = 0; world.redis && i < CONNECTIONS; i++)
        make_ready(&world.watches[i], world.watches[i].events & LOOP_READ ? LOOP_WRITE : 0);
    fake_loop_advance(world.loop, 0);
}

/* ---- one input ---- */

static void begin(void)
{
    static const struct redis_config config = {
        .url = "redis://user:secret@127.0.0.1:6379/2",
        .name = "front 1",
        .events = {.connected = on_connected, .lost = on_lost, .message = on_message}};
    struct err err = {0};
    memset(&world, 0, sizeof world);
    world.loop = loop_new();
    world.room = SIZE_MAX;
    for (size_t i = 0; i < CONNECTIONS; i++)
        world.watches[i].fd = -1;
    world.redis = redis_new(world.loop, &config, &err);
    assert(world.redis);
    fake_loop_advance(world.loop, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct slice left = {(const char *)bytes, size};
    struct slice step;
    begin();
    for (int steps = 0; world.redis && steps < STEPS_MAX && fuzz_next_step(&left, &step); steps++) {
        if (step.len > 0)
            take_step(step.at[0], (struct slice){step.at + 1, step.len - 1});
    }
    redis_free(world.redis);
    world.redis = NULL;
    fake_loop_advance(world.loop, 60000);
    assert(world.watches[0].fd < 0 && world.watches[1].fd < 0);
    assert(fake_loop_objects(world.loop) == 0);
    loop_free(world.loop);
    return 0;
}
