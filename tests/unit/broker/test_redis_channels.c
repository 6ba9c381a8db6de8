/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_redis.h"
#include "loop/loop.h"

#define MESSAGE(channel, payload) "*3\r\n$7\r\nmessage\r\n" channel payload
#define TO_A "$1\r\na\r\n"
#define TO_B "$1\r\nb\r\n"
#define HELLO "$5\r\nhello\r\n"

static void on_channel_ready(void *context)
{
    const struct asked *asked = context;
    fake_note(asked->fake, "%s is ready", asked->what);
}

static void subscribe(struct fake *fake, const char *channel, struct asked *asked)
{
    fake->is_in_call = true;
    assert_int_equal(redis_subscribe(fake->redis, channel, asked ? on_channel_ready : NULL, asked),
                     0);
    fake->is_in_call = false;
}

/* The answers of now are there, as far as they come at all. */
static void settle(struct fake *fake)
{
    fake_pause(fake, 60);
}

static void open_and_forget(struct fake *fake)
{
    fake_open(fake, "");
    fake_await(fake, "connected");
    fake->notes[0] = '\0';
    fake->seen[0] = '\0';
}

/* Nothing but what it is told to say: on a slow machine the others ping meanwhile. */
static void open_patient(struct fake *fake)
{
    fake->timeout_ms = 60 * 1000;
    open_and_forget(fake);
}

/* To the connection of channels alone: the commands' would call it nonsense. */
static void say_to_channels(struct fake *fake, const char *text)
{
    assert_int_equal(redis_command(fake->redis, NULL, NULL, slice_of("MARK")), 0);
    settle(fake);
    for (size_t i = 0; i < PEERS; i++) {
        struct peer *peer = &fake->peers[i];
        if (peer->fd >= 0 && peer->is_subscribed)
            peer_say(peer, text, strlen(text));
    }
    settle(fake);
}

static void messages_come_while_somebody_wants_them(void **state)
{
    struct fake *fake = *state;
    struct asked first = {fake, "the first"};
    struct asked second = {fake, "the second"};
    open_patient(fake);
    subscribe(fake, "a", &first);
    fake_await(fake, "the first is ready");
    subscribe(fake, "a", &second);
    fake_await(fake, "the second is ready");
    redis_unsubscribe(fake->redis, "a");
    say_to_channels(fake, MESSAGE(TO_A, HELLO) MESSAGE(TO_B, HELLO));
    redis_unsubscribe(fake->redis, "a");
    redis_unsubscribe(fake->redis, "a");
    redis_unsubscribe(fake->redis, "never");
    say_to_channels(fake, MESSAGE(TO_A, HELLO));
    assert_string_equal(fake->notes, "the first is ready\nthe second is ready\na says hello\n");
    assert_string_equal(fake->seen, "SUBSCRIBE a\nMARK\nUNSUBSCRIBE a\nMARK\n");
}

static void who_subscribes_again_waits_for_that_one(void **state)
{
    struct fake *fake = *state;
    struct asked first = {fake, "the first"};
    struct asked second = {fake, "the second"};
    open_patient(fake);
    subscribe(fake, "a", &first);
    redis_unsubscribe(fake->redis, "a");
    subscribe(fake, "a", &second);
    settle(fake);
    assert_string_equal(fake->notes, "the second is ready\n");
    assert_string_equal(fake->seen, "SUBSCRIBE a\nUNSUBSCRIBE a\nSUBSCRIBE a\n");
    say_to_channels(fake, MESSAGE(TO_A, HELLO));
    assert_non_null(strstr(fake->notes, "a says hello"));
}

static void a_confirmation_that_does_not_come_makes_nobody_ready(void **state)
{
    static const struct rule rules[] = {{"SUBSCRIBE", NULL}, {0}};
    struct fake *fake = *state;
    struct asked asked = {fake, "a"};
    fake->rules = rules;
    open_and_forget(fake);
    subscribe(fake, "a", &asked);
    fake_await(fake, "lost: ");
    fake->rules = NULL;
    fake_await(fake, "connected");
    settle(fake);
    assert_null(strstr(fake->notes, "ready"));
}

static void a_new_connection_has_the_channels_before_it_is_called_one(void **state)
{
    struct fake *fake = *state;
    struct asked early = {fake, "early"};
    char channel[32];
    fake_open(fake, "");
    subscribe(fake, "early", &early); /* before there is a connection */
    fake_await(fake, "early is ready");
    assert_string_equal(fake->notes, "connected\nearly is ready\n");
    for (int i = 0; i < 300; i++) {
        (void)snprintf(channel, sizeof channel, "c%d", i);
        subscribe(fake, channel, NULL);
    }
    subscribe(fake, "gone", NULL);
    redis_unsubscribe(fake->redis, "gone");
    settle(fake);
    fake->notes[0] = '\0';
    fake->seen[0] = '\0';
    fake_hang_up(fake);
    fake_await(fake, "connected");
    assert_int_equal(fake->subscriptions, 301);
    assert_null(strstr(fake->seen, "gone"));
    assert_null(strstr(fake->notes, "ready"));
}

static void what_is_no_message_ends_the_connection(void **state)
{
    static const char *const rows[] = {
        ":1\r\n",
        "$-1\r\n",
        "*0\r\n",
        "*1\r\n:1\r\n",
        "*3\r\n:1\r\n:2\r\n:3\r\n",
        "*3\r\n$7\r\nmessage\r\n*0\r\n$1\r\nx\r\n",
        "*3\r\n$7\r\nmessage\r\n" TO_A "*0\r\n",
        "*2\r\n$7\r\nmessage\r\n" TO_A,
        "*4\r\n$8\r\npmessage\r\n" TO_A TO_A TO_A,
        "*3\r\n$9\r\nsubscribe\r\n" TO_A ":1\r\n",
        "*3\r\n$9\r\nsubscribe\r\n" TO_B ":1\r\n",
        "*3\r\n$11\r\nunsubscribe\r\n" TO_A ":1\r\n",
        "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n",
        "*2\r\n$4\r\npong\r\n$0\r\n\r\n",
        "+PONG\r\n",
        "+OK\r\n",
        "-NOPERM no channels\r\n",
        "*3\r\n$7\r\nmess",
    };
    struct fake *fake = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        fake_open_anew(fake);
        subscribe(fake, "a", NULL);
        fake_await(fake, "connected");
        fake->notes[0] = '\0';
        for (size_t k = 0; k < PEERS; k++) {
            if (fake->peers[k].is_subscribed)
                peer_say(&fake->peers[k], rows[i], strlen(rows[i]));
        }
        if (i == ARRAY_LEN(rows) - 1)
            fake_hang_up(fake);
        fake_await(fake, "lost: ");
    }
    fake_await(fake, "connected");
}

static void a_name_is_bounded(void **state)
{
    struct fake *fake = *state;
    char name[600];
    memset(name, 'n', sizeof name);
    open_and_forget(fake);
    name[513] = '\0';
    assert_int_equal(redis_subscribe(fake->redis, name, NULL, NULL), -1);
    assert_int_equal(redis_subscribe(fake->redis, "", NULL, NULL), -1);
    name[512] = '\0';
    assert_int_equal(redis_subscribe(fake->redis, name, NULL, NULL), 0);
}

/* --- freed by whoever is called --- */

static void leave_at(struct fake *fake, const char *when)
{
    if (fake->leaves_when && strcmp(fake->leaves_when, when) == 0) {
        redis_free(fake->redis);
        fake->redis = NULL;
    }
}

static void leave_when_ready(void *context)
{
    struct fake *fake = context;
    fake_note(fake, "ready");
    leave_at(fake, "ready");
}

static void leave_when_answered(void *context, const struct redis_reply *reply)
{
    struct fake *fake = context;
    fake_note(fake, reply ? "answered" : "lost an answer");
    leave_at(fake, reply ? "answered" : "lost an answer");
}

static void whoever_is_called_may_free_it_and_nobody_is_called_then(void **state)
{
    static const struct {
        const char *when;
        const char *notes;
    } rows[] = {
        {"connected", "connected\n"},
        {"ready", "connected\nready\n"},
        {"answered", "connected\nready\nanswered\n"},
        {"message", "connected\nready\nanswered\nanswered\na says hello\n"},
        {"lost an answer",
         "connected\nready\nanswered\nanswered\na says hello\na says hello\nlost an answer\n"},
        {"lost", "connected\nready\nanswered\nanswered\na says hello\na says hello\n"
                 "lost an answer\nlost an answer\nlost: Redis at 127.0.0.1 port "},
    };
    struct fake *fake = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        fake->leaves_when = rows[i].when;
        fake->notes[0] = '\0';
        fake_open(fake, "");
        assert_int_equal(redis_subscribe(fake->redis, "a", leave_when_ready, fake), 0);
        fake_await(fake, "connected");
        settle(fake);
        for (int k = 0; k < 2 && fake->redis; k++)
            assert_int_equal(redis_command(fake->redis, leave_when_answered, fake, slice_of("GET")),
                             0);
        settle(fake);
        if (fake->redis)
            say_to_channels(fake, MESSAGE(TO_A, HELLO) MESSAGE(TO_A, HELLO));
        for (int k = 0; k < 2 && fake->redis; k++)
            assert_int_equal(redis_command(fake->redis, leave_when_answered, fake, slice_of("GET")),
                             0);
        fake_hang_up(fake);
        settle(fake);
        assert_null(fake->redis);
        assert_memory_equal(fake->notes, rows[i].notes, strlen(rows[i].notes));
        if (i + 1 < ARRAY_LEN(rows))
            assert_string_equal(fake->notes, rows[i].notes);
    }
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, fake_set_up, fake_tear_down)
    const struct CMUnitTest tests[] = {
        ROW(messages_come_while_somebody_wants_them),
        ROW(who_subscribes_again_waits_for_that_one),
        ROW(a_confirmation_that_does_not_come_makes_nobody_ready),
        ROW(a_new_connection_has_the_channels_before_it_is_called_one),
        ROW(what_is_no_message_ends_the_connection),
        ROW(a_name_is_bounded),
        ROW(whoever_is_called_may_free_it_and_nobody_is_called_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
