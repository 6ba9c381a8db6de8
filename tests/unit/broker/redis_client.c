/* SPDX-License-Identifier: MIT */
/* redis_client.c — broker/redis.h by hand, for tests/system/test_redis.py.
 *
 *     redis_client URL TIMEOUT_MS
 *
 * Obeys the lines on stdin until SIGTERM, and says on stdout what it is told:
 *     send WORD…           bytes as %XX          reply N KIND TEXT
 *     count TIMES          INCRs in one go       counted N, in order
 *     subscribe CHANNEL    unsubscribe CHANNEL   ready CHANNEL, message CHANNEL TEXT
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "broker/redis.h"
#include "loop/loop.h"

enum { WORDS = 16, LONG_BYTES = 64 * 1024, LINE_MAX_BYTES = 4 * 1024 * 1024 };

struct client {
    struct loop *loop;
    struct loop_watch *input;
    struct redis *redis;
    struct buf lines;
    unsigned sent;
    int64_t counted; /* by the last INCR */
    unsigned missing;
    bool is_in_order;
    char channel[512]; /* subscribed last */
};

static struct client client;

static void print(struct slice text)
{
    if (text.len > LONG_BYTES) {
        (void)printf("of %zu bytes", text.len);
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (byte <= ' ' || byte > '~' || byte == '%')
            (void)printf("%%%02x", byte);
        else
            (void)putchar(byte);
    }
}

static void print_reply(const struct redis_reply *reply)
{
    static const char *const kinds[] = {"nil", "string", "integer", "array", "error"};
    (void)printf(" %s ", kinds[reply->kind]);
    if (reply->kind == REDIS_INTEGER)
        (void)printf("%" PRId64, reply->integer);
    print(reply->text);
    for (size_t i = 0; i < reply->count; i++)
        print_reply(&reply->items[i]);
}

static void on_reply(void *context, const struct redis_reply *reply)
{
    (void)printf("reply %u", (unsigned)(uintptr_t)context);
    if (reply)
        print_reply(reply);
    else
        (void)printf(" lost");
    (void)puts("");
}

static void on_count(void *context, const struct redis_reply *reply)
{
    (void)context;
    if (!reply || reply->kind != REDIS_INTEGER || reply->integer != client.counted + 1)
        client.is_in_order = false;
    client.counted = reply ? reply->integer : client.counted;
    if (--client.missing == 0)
        (void)printf("counted %" PRId64 " %s\n", client.counted,
                     client.is_in_order ? "in order" : "in disorder");
}

static void count(unsigned times)
{
    client.missing = times;
    client.counted = 0;
    client.is_in_order = true;
    for (unsigned i = 0; i < times; i++) {
        if (redis_command(client.redis, on_count, NULL, slice_of("INCR"), slice_of("count")) < 0)
            (void)printf("refused %u\n", i);
    }
}

static void on_ready(void *context)
{
    (void)context;
    (void)printf("ready %s\n", client.channel);
}

static void on_connected(void *context)
{
    (void)context;
    (void)puts("connected");
}

static void on_lost(void *context, const struct err *err)
{
    (void)context;
    (void)printf("lost %s\n", err->text);
}

static void on_message(void *context, const char *channel, struct slice payload)
{
    (void)context;
    (void)printf("message %s ", channel);
    print(payload);
    (void)puts("");
}

/* In place. */
static struct slice decode(char *word)
{
    char *to = word;
    for (const char *from = word; *from; from++) {
        char digits[3] = {0};
        if (*from == '%') {
            memcpy(digits, from + 1, 2);
            *to++ = (char)strtoul(digits, NULL, 16);
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    return (struct slice){word, (size_t)(to - word)};
}

static void obey(char *line)
{
    struct slice argv[WORDS];
    size_t argc = 0;
    char *rest = NULL;
    const char *verb = strtok_r(line, " ", &rest);
    for (char *word; argc < WORDS && (word = strtok_r(NULL, " ", &rest)) != NULL;)
        argv[argc++] = decode(word);
    if (!verb || argc == 0)
        return;
    if (strcmp(verb, "count") == 0) {
        count((unsigned)strtoul(argv[0].at, NULL, 10));
    } else if (strcmp(verb, "subscribe") == 0) {
        (void)snprintf(client.channel, sizeof client.channel, "%s", argv[0].at);
        (void)redis_subscribe(client.redis, argv[0].at, on_ready, NULL);
    } else if (strcmp(verb, "unsubscribe") == 0) {
        redis_unsubscribe(client.redis, argv[0].at);
    } else {
        void *number = (void *)(uintptr_t)++client.sent;
        if (redis_command_argv(client.redis, on_reply, number, argc, argv) < 0)
            (void)printf("refused %u\n", client.sent);
    }
}

static void on_input(void *context, unsigned ready)
{
    char *room = buf_reserve(&client.lines, 64 * 1024);
    ssize_t got = room ? read(STDIN_FILENO, room, 64 * 1024) : 0;
    (void)context;
    (void)ready;
    if (got <= 0) {
        loop_stop(client.loop);
        return;
    }
    buf_commit(&client.lines, (size_t)got);
    for (char *end; (end = strchr(client.lines.at, '\n')) != NULL;) {
        *end = '\0';
        size_t len = (size_t)(end - client.lines.at) + 1;
        obey(client.lines.at);
        buf_consume(&client.lines, len);
    }
}

static void on_signal(void *context, int number)
{
    (void)context;
    (void)number;
    loop_stop(client.loop);
}

int main(int argc, char **argv)
{
    struct err err;
    if (argc != 3)
        return 64;
    const struct redis_config config = {
        .url = argv[1],
        .name = "redis_client",
        .timeout_ms = strtoul(argv[2], NULL, 10),
        .events = {on_connected, on_lost, on_message},
    };
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    client.loop = loop_new();
    buf_init(&client.lines, LINE_MAX_BYTES);
    client.redis = redis_new(client.loop, &config, &err);
    if (!client.redis)
        return 70;
    client.input = loop_watch_new(client.loop, STDIN_FILENO, LOOP_READ, on_input, NULL);
    struct loop_signal *end = loop_signal_new(client.loop, SIGTERM, on_signal, NULL);
    loop_run(client.loop);
    loop_signal_free(end);
    loop_watch_free(client.input);
    redis_free(client.redis);
    loop_free(client.loop);
    buf_fini(&client.lines);
    return 0;
}
