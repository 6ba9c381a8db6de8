/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_redis.h"
#include "loop/loop.h"

static int ask(struct fake *fake, struct asked *asked, const char *first, const char *second)
{
    asked->fake = fake;
    asked->what = second;
    fake->is_in_call = true;
    int rc = redis_command(fake->redis, fake_on_reply, asked, slice_of(first), slice_of(second));
    fake->is_in_call = false;
    return rc;
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
        count++;
    return count;
}

/* --- answers --- */

static void every_kind_of_answer_comes_as_it_is_in_the_order_of_the_commands(void **state)
{
    static const struct rule rules[] = {
        {"GET nothing", "$-1\r\n"},
        {"GET text", "$5\r\nhello\r\n"},
        {"GET empty", "$0\r\n\r\n"},
        {"GET status", "+QUEUED\r\n"},
        {"GET number", ":-9223372036854775807\r\n"},
        {"GET error", "-WRONGTYPE no\r\n"},
        {"GET none", "*-1\r\n"},
        {"GET empties", "*0\r\n"},
        {"GET nested", "*3\r\n*2\r\n$1\r\na\r\n:1\r\n*0\r\n*1\r\n*1\r\n-E\r\n"},
        {0},
    };
    static const char expected[] = "connected\n"
                                   "nothing: nil\n"
                                   "text: string hello\n"
                                   "empty: string \n"
                                   "status: string QUEUED\n"
                                   "number: integer -9223372036854775807\n"
                                   "error: error WRONGTYPE no\n"
                                   "none: nil\n"
                                   "empties: array []\n"
                                   "nested: array [array [string a, integer 1], array [], "
                                   "array [array [error E]]]\n";
    static const char *const keys[] = {"nothing", "text", "empty",   "status", "number",
                                       "error",   "none", "empties", "nested"};
    struct fake *fake = *state;
    struct asked asked[ARRAY_LEN(keys)];
    fake->rules = rules;
    fake_open(fake, "");
    fake_await(fake, "connected");
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        assert_int_equal(ask(fake, &asked[i], "GET", keys[i]), 0);
    fake_await(fake, "nested");
    assert_string_equal(fake->notes, expected);
}

static void an_argument_and_an_answer_may_hold_any_bytes(void **state)
{
    static const struct rule rules[] = {{"GET", "$4\r\n\0\r\n\xff\r\n", 10}, {0}};
    struct fake *fake = *state;
    struct asked asked = {fake, "bytes"};
    fake->rules = rules;
    fake_open(fake, "");
    fake_await(fake, "connected");
    assert_int_equal(redis_command(fake->redis, fake_on_reply, &asked, slice_of("GET"),
                                   ((struct slice){"\r\n$9\r\n\0*", 8})),
                     0);
    assert_int_equal(redis_command(fake->redis, NULL, NULL, slice_of("SET"), slice_of("")), 0);
    fake_await(fake, "bytes: string ");
    fake_pause(fake, 50);
    assert_non_null(strstr(fake->seen, "SET "));
    assert_null(strstr(fake->notes, "lost"));
}

/* --- a server that does not keep to the rules --- */

static void what_is_no_answer_ends_the_connection(void **state)
{
    static char line[200 * 1024];
    memset(line, 'x', sizeof line);
    line[0] = '+';
    const struct rule rows[] = {
        {"GET", "hello\r\n"},
        {"GET", "+OK\r\n+OK\r\n+OK\r\n"},
        {"GET", "+OK\r\n+OK\r\n-ERR nobody asked\r\n"},
        {"GET", ":many\r\n"},
        {"GET", "$-7\r\n"},
        {"GET", "*2000000000\r\n"},
        {"GET", "*99999999999999999999\r\n"},
        {"GET", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"},
        {"GET", "$9223372036854775807\r\n"}, /* nothing follows: the silence ends it */
        {"GET", line, sizeof line},
        {"GET", "\0\0\0\0", 4},
        {"GET", "*2\r\n$1\r\na\r\n", 0, true}, /* and gone in the middle of it */
        {"GET", NULL, 0, true},
        {"GET", NULL},
    };
    struct fake *fake = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct rule rules[] = {rows[i], {"WAIT", NULL}, {0}};
        struct asked asked[2];
        fake->rules = rules;
        fake_open_anew(fake);
        fake_await(fake, "connected");
        fake->notes[0] = '\0';
        assert_int_equal(ask(fake, &asked[0], "GET", "key"), 0);
        assert_int_equal(ask(fake, &asked[1], "WAIT", "other"), 0);
        fake_await(fake, "lost: Redis at 127.0.0.1");
        if (strncmp(rows[i].answer ? rows[i].answer : "", "+OK", 3) != 0 &&
            !strstr(fake->notes, "key: lost\nother: lost\nlost: "))
            fail_msg("row %zu: %s", i, fake->notes);
    }
    fake->rules = NULL;
    fake_await(fake, "connected");
}

static void an_error_in_a_line_of_its_own_cannot_forge_another(void **state)
{
    static const struct rule rules[] = {{"PING", "-ERR \x1b[2J\x07 here\r\n"}, {0}};
    struct fake *fake = *state;
    fake->rules = rules;
    fake_open(fake, "");
    fake_await(fake, "it refuses PING: ERR ?[2J? here");
}

static void silence_is_a_lost_connection(void **state)
{
    struct fake *fake = *state;
    struct asked asked;
    fake_open(fake, "");
    fake_await(fake, "connected");
    fake->is_mute = true;
    uint64_t start_ns = loop_now_ns();
    assert_int_equal(ask(fake, &asked, "GET", "key"), 0);
    fake_await(fake, "key: lost\nlost: ");
    assert_in_range((loop_now_ns() - start_ns) / NS_PER_MS, 390, 4000);
    assert_non_null(strstr(fake->notes, "no answer within 400 ms"));
}

static void an_idle_connection_is_asked_whether_it_stands(void **state)
{
    struct fake *fake = *state;
    fake_open(fake, "");
    fake_await(fake, "connected");
    fake_pause(fake, 1500);
    assert_string_equal(fake->notes, "connected\n");
    assert_true(count_of(fake->seen, "PING") >= 4);
    fake->is_mute = true;
    fake_await(fake, "lost: ");
}

static void who_accepts_and_never_answers_is_lost(void **state)
{
    struct fake *fake = *state;
    fake->is_mute = true;
    fake_open(fake, "");
    fake_await(fake, "lost: ");
    assert_non_null(strstr(fake->notes, "no connection within 400 ms"));
    fake->is_mute = false;
    fake_await(fake, "connected");
}

static void nobody_there_is_told_each_time_until_there_is(void **state)
{
    struct fake *fake = *state;
    struct asked asked;
    fake_deafen(fake);
    fake_open(fake, "");
    assert_int_equal(ask(fake, &asked, "GET", "key"), -1);
    fake_await(fake, "Connection refused\nlost");
    fake_listen(fake);
    fake_await(fake, "connected");
    assert_int_equal(ask(fake, &asked, "GET", "key"), 0);
    fake_await(fake, "key: string OK");
}

static void a_host_may_have_a_name(void **state)
{
    struct fake *fake = *state;
    char url[64];
    (void)snprintf(url, sizeof url, "redis://localhost:%u", fake->port);
    fake_open_url(fake, url, NULL);
    fake_await(fake, "connected");
}

static void a_name_that_nobody_has_is_told(void **state)
{
    struct fake *fake = *state;
    fake_open_url(fake, "redis://no.such.host.invalid", NULL);
    fake_await(fake, "lost: Redis at no.such.host.invalid port 6379");
}

/* --- the introduction --- */

static void a_connection_introduces_itself(void **state)
{
    struct fake *fake = *state;
    char url[128];
    (void)snprintf(url, sizeof url, "redis://us%%65r:p%%40ss@127.0.0.1:%u/7", fake->port);
    fake_open_url(fake, url, "front one\n");
    fake_await(fake, "connected");
    assert_int_equal(count_of(fake->seen, "AUTH user p@ss\nSELECT 7\nCLIENT SETNAME front-one-\n"
                                          "PING\n"),
                     2);
}

static void a_wrong_password_is_told_without_it(void **state)
{
    static const struct rule rules[] = {
        {"AUTH", "-WRONGPASS invalid username-password pair or user is disabled.\r\n"},
        {"", "-NOAUTH Authentication required.\r\n"},
        {0},
    };
    struct fake *fake = *state;
    char url[128];
    fake->rules = rules;
    (void)snprintf(url, sizeof url, "redis://:sesame@127.0.0.1:%u", fake->port);
    fake_open_url(fake, url, NULL);
    fake_await(fake, "it refuses the password: WRONGPASS");
    assert_null(strstr(fake->notes, "sesame"));
    assert_null(strstr(fake->notes, "connected"));
}

static void a_name_that_is_refused_does_no_harm(void **state)
{
    static const struct rule rules[] = {{"CLIENT", "-NOPERM no\r\n"}, {0}};
    struct fake *fake = *state;
    fake->rules = rules;
    fake_open(fake, "");
    fake_await(fake, "connected");
}

/* --- bounds --- */

static void what_waits_to_be_sent_is_bounded(void **state)
{
    static const struct rule rules[] = {{"GET", NULL, 0, false, true}, {0}};
    struct fake *fake = *state;
    struct asked asked;
    struct slice large = {calloc(1, 8 * MIB), 8 * MIB};
    size_t taken = 0;
    assert_non_null(large.at);
    fake->rules = rules;
    fake_open(fake, "");
    fake_await(fake, "connected");
    assert_int_equal(ask(fake, &asked, "GET", "key"), 0);
    while (taken < 100 &&
           redis_command(fake->redis, NULL, NULL, slice_of("SET"), slice_of("key"), large) == 0)
        taken++;
    assert_int_equal(taken, 7);
    fake_await(fake, "key: lost");
    fake_await(fake, "lost: ");
    free((void *)large.at);
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, fake_set_up, fake_tear_down)
    const struct CMUnitTest tests[] = {
        ROW(every_kind_of_answer_comes_as_it_is_in_the_order_of_the_commands),
        ROW(an_argument_and_an_answer_may_hold_any_bytes),
        ROW(what_is_no_answer_ends_the_connection),
        ROW(an_error_in_a_line_of_its_own_cannot_forge_another),
        ROW(silence_is_a_lost_connection),
        ROW(an_idle_connection_is_asked_whether_it_stands),
        ROW(who_accepts_and_never_answers_is_lost),
        ROW(nobody_there_is_told_each_time_until_there_is),
        ROW(a_host_may_have_a_name),
        ROW(a_name_that_nobody_has_is_told),
        ROW(a_connection_introduces_itself),
        ROW(a_wrong_password_is_told_without_it),
        ROW(a_name_that_is_refused_does_no_harm),
        ROW(what_waits_to_be_sent_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
