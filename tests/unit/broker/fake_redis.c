/* SPDX-License-Identifier: MIT */
#include "fake_redis.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/loop.h"

enum { LATE_MS = 20 * 1000, WORDS = 160 };

/* --- the server --- */

static void hang_up(struct peer *peer)
{
    loop_watch_free(peer->watch);
    if (peer->fd >= 0)
        (void)close(peer->fd);
    buf_fini(&peer->in);
    peer->watch = NULL;
    peer->fd = -1;
    peer->is_subscribed = false;
}

void peer_say(struct peer *peer, const char *bytes, size_t len)
{
    if (peer->fd >= 0 && len > 0)
        (void)!send(peer->fd, bytes, len, MSG_NOSIGNAL);
}

static void confirm(struct peer *peer, size_t count, char words[][1024], const char *kind)
{
    char text[2048];
    peer->is_subscribed = true;
    for (size_t i = 1; i < count; i++) {
        int len = snprintf(text, sizeof text, "*3\r\n$%zu\r\n%s\r\n$%zu\r\n%s\r\n:1\r\n",
                           strlen(kind), kind, strlen(words[i]), words[i]);
        peer_say(peer, text, (size_t)len);
        peer->fake->subscriptions++;
    }
}

static void obey(struct peer *peer, size_t count, char words[][1024])
{
    struct fake *fake = peer->fake;
    char line[2048] = "";
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(line);
        (void)snprintf(line + len, sizeof line - len, "%s%s", i ? " " : "", words[i]);
    }
    size_t len = strlen(fake->seen);
    (void)snprintf(fake->seen + len, sizeof fake->seen - len, "%s\n", line);
    if (fake->is_mute)
        return;
    for (const struct rule *rule = fake->rules; rule && rule->words; rule++) {
        if (strncmp(line, rule->words, strlen(rule->words)) != 0)
            continue;
        if (rule->answer)
            peer_say(peer, rule->answer,
                     rule->answer_len ? rule->answer_len : strlen(rule->answer));
        if (rule->stops_reading)
            loop_watch_set(peer->watch, 0);
        if (rule->closes)
            hang_up(peer);
        return;
    }
    if (strcmp(words[0], "SUBSCRIBE") == 0)
        confirm(peer, count, words, "subscribe");
    else if (strcmp(words[0], "UNSUBSCRIBE") == 0)
        confirm(peer, count, words, "unsubscribe");
    else if (strcmp(words[0], "PING") == 0)
        peer_say(peer, "+PONG\r\n", 7);
    else
        peer_say(peer, "+OK\r\n", 5);
}

/* The number behind the first byte of the line at *at, which moves behind that line; -1
 * when the line is not there yet. */
static long take_number(const char **at, const char *end)
{
    const char *line = *at;
    const char *rest = line < end ? memmem(line, (size_t)(end - line), "\r\n", 2) : NULL;
    if (!rest)
        return -1;
    *at = rest + 2;
    return strtol(line + 1, NULL, 10);
}

/* One whole command out of peer->in; false when there is none yet. */
static bool take_command(struct peer *peer)
{
    static char words[WORDS][1024];
    const char *at = buf_text(&peer->in);
    const char *end = at + peer->in.len;
    long count = take_number(&at, end);
    if (count < 0)
        return false;
    for (long i = 0; i < count; i++) {
        long len = take_number(&at, end);
        if (len < 0 || end - at < len + 2)
            return false;
        if (i < WORDS)
            (void)snprintf(words[i], sizeof words[i], "%.*s", (int)len, at);
        at += len + 2;
    }
    buf_consume(&peer->in, (size_t)(at - peer->in.at));
    obey(peer, MIN((size_t)count, (size_t)WORDS), words);
    return true;
}

static void on_peer(void *context, unsigned ready)
{
    struct peer *peer = context;
    char *room = buf_reserve(&peer->in, 64 * 1024);
    assert_non_null(room);
    assert_int_equal(ready, LOOP_READ);
    ssize_t got = read(peer->fd, room, 64 * 1024);
    if (got <= 0) {
        hang_up(peer);
        return;
    }
    buf_commit(&peer->in, (size_t)got);
    while (peer->fd >= 0 && take_command(peer))
        ;
}

static void on_caller(void *context, unsigned ready)
{
    struct fake *fake = context;
    assert_int_equal(ready, LOOP_READ);
    int fd = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    fake->accepted++;
    for (size_t i = 0; i < PEERS; i++) {
        struct peer *peer = &fake->peers[i];
        if (peer->fd >= 0)
            continue;
        peer->fake = fake;
        peer->fd = fd;
        buf_init(&peer->in, 256 * MIB);
        peer->watch = loop_watch_new(fake->loop, fd, LOOP_READ, on_peer, peer);
        return;
    }
    fail_msg("more than %d connections", PEERS);
}

void fake_hang_up(struct fake *fake)
{
    for (size_t i = 0; i < PEERS; i++)
        hang_up(&fake->peers[i]);
    fake->subscriptions = 0;
}

void fake_listen(struct fake *fake)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)fake->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int one = 1;
    fake->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(setsockopt(fake->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), 0);
    assert_int_equal(bind(fake->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fake->listener, 16), 0);
    assert_int_equal(getsockname(fake->listener, (struct sockaddr *)&address, &size), 0);
    fake->port = ntohs(address.sin_port);
    fake->watch = loop_watch_new(fake->loop, fake->listener, LOOP_READ, on_caller, fake);
}

void fake_deafen(struct fake *fake)
{
    fake_hang_up(fake);
    loop_watch_free(fake->watch);
    fake->watch = NULL;
    (void)close(fake->listener);
    fake->listener = -1;
}

/* --- the client --- */

void fake_note(struct fake *fake, const char *format, ...)
{
    size_t len = strlen(fake->notes);
    va_list args;
    assert_false(fake->is_in_call);
    va_start(args, format);
    (void)vsnprintf(fake->notes + len, sizeof fake->notes - len - 1, format, args);
    va_end(args);
    (void)strcat(fake->notes, "\n");
    if (fake->wanted && strstr(fake->notes, fake->wanted))
        loop_stop(fake->loop);
}

static void write_reply(const struct redis_reply *reply, struct buf *text)
{
    static const char *const kinds[] = {"nil", "string", "integer", "array", "error"};
    buf_add_text(text, kinds[reply->kind]);
    if (reply->kind == REDIS_STRING || reply->kind == REDIS_ERROR)
        buf_add_format(text, " %.*s", (int)MIN(reply->text.len, (size_t)100), reply->text.at);
    if (reply->kind == REDIS_INTEGER)
        buf_add_format(text, " %" PRId64, reply->integer);
    for (size_t i = 0; i < reply->count; i++) {
        buf_add_text(text, i ? ", " : " [");
        write_reply(&reply->items[i], text);
    }
    if (reply->kind == REDIS_ARRAY)
        buf_add_text(text, reply->count ? "]" : " []");
}

void fake_on_reply(void *what, const struct redis_reply *reply)
{
    const struct asked *asked = what;
    struct buf text;
    buf_init(&text, NOTES_SIZE);
    if (reply)
        write_reply(reply, &text);
    fake_note(asked->fake, "%s: %s", asked->what, reply ? buf_text(&text) : "lost");
    buf_fini(&text);
}

static void leave_at(struct fake *fake, const char *when)
{
    if (!fake->leaves_when || strcmp(fake->leaves_when, when) != 0)
        return;
    redis_free(fake->redis);
    fake->redis = NULL;
}

static void on_connected(void *context)
{
    struct fake *fake = context;
    assert_true(redis_is_connected(fake->redis));
    fake_note(fake, "connected");
    leave_at(fake, "connected");
}

static void on_lost(void *context, const struct err *err)
{
    struct fake *fake = context;
    assert_false(redis_is_connected(fake->redis));
    assert_int_equal(err->code, ERR_BROKER);
    fake_note(fake, "lost: %s", err->text);
    leave_at(fake, "lost");
}

static void on_message(void *context, const char *channel, struct slice payload)
{
    struct fake *fake = context;
    fake_note(fake, "%s says %.*s", channel, (int)payload.len, payload.at);
    leave_at(fake, "message");
}

void fake_open_url(struct fake *fake, const char *url, const char *name)
{
    const struct redis_config config = {
        .url = url,
        .name = name,
        .timeout_ms = fake->timeout_ms,
        .retry_ms = 20,
        .events = {on_connected, on_lost, on_message},
        .context = fake,
    };
    struct err err = {0};
    fake->is_in_call = true;
    fake->redis = redis_new(fake->loop, &config, &err);
    fake->is_in_call = false;
    assert_non_null(fake->redis);
}

void fake_open(struct fake *fake, const char *path)
{
    char url[128];
    (void)snprintf(url, sizeof url, "redis://127.0.0.1:%u%s", fake->port, path);
    fake_open_url(fake, url, "a test");
}

void fake_open_anew(struct fake *fake)
{
    redis_free(fake->redis);
    fake->notes[0] = '\0';
    fake_open(fake, "");
}

void fake_await(struct fake *fake, const char *wanted)
{
    if (strstr(fake->notes, wanted))
        return;
    fake->wanted = wanted;
    loop_timer_start(fake->late, LATE_MS);
    loop_run(fake->loop);
    loop_timer_stop(fake->late);
    fake->wanted = NULL;
}

static void on_late(void *context)
{
    struct fake *fake = context;
    fail_msg("\"%s\" did not come; this did:\n%s", fake->wanted, fake->notes);
}

static void on_paused(void *context)
{
    struct fake *fake = context;
    loop_stop(fake->loop);
}

void fake_pause(struct fake *fake, unsigned ms)
{
    loop_timer_start(fake->pause, ms);
    loop_run(fake->loop);
}

int fake_set_up(void **state)
{
    struct fake *fake = calloc(1, sizeof *fake);
    assert_non_null(fake);
    fake->timeout_ms = 400;
    fake->loop = loop_new();
    fake->late = loop_timer_new(fake->loop, on_late, fake);
    fake->pause = loop_timer_new(fake->loop, on_paused, fake);
    for (size_t i = 0; i < PEERS; i++)
        fake->peers[i].fd = -1;
    fake_listen(fake);
    *state = fake;
    return 0;
}

int fake_tear_down(void **state)
{
    struct fake *fake = *state;
    redis_free(fake->redis);
    if (fake->listener >= 0)
        fake_deafen(fake);
    fake_hang_up(fake);
    loop_timer_free(fake->late);
    loop_timer_free(fake->pause);
    loop_free(fake->loop);
    free(fake);
    return 0;
}
