/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "engineio_fake.h"

#define NO_ARGUMENT ((struct slice){"", 0})

/* Short against the tests' patience, long against a turn of a busy machine. */
enum { SHORT_MS = 150, SOON_MS = 3 * SHORT_MS };

static void the_server_pings_and_a_pong_keeps_the_session(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, &(struct engineio_config){.ping_interval_ms = SHORT_MS});
    fake_connect(&fake);
    for (int i = 0; i < 2; i++) {
        assert_non_null(fake_poll(&fake, "a"));
        fake_run(&fake, SOON_MS);
        fake_expect(&fake, "poll a: 200 " TEXT_PLAIN " 2\n"); /* and no other before the pong */
        assert_true(fake_post(&fake, "3"));
    }
    fake_end(&fake);
}

static void a_client_that_answers_no_ping_is_gone(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, &(struct engineio_config){.ping_interval_ms = SHORT_MS,
                                                .ping_timeout_ms = SHORT_MS});
    fake_connect(&fake);
    assert_non_null(fake_poll(&fake, "a"));
    fake_run(&fake, SOON_MS);
    fake_expect(&fake, "poll a: 200 " TEXT_PLAIN " 2\nclosed\n");

    fake_connect(&fake);
    assert_true(fake_arrive_ws(&fake));
    fake_frame(&fake, "2probe");
    fake_frame(&fake, "5");
    fake_run(&fake, SOON_MS);
    fake_expect(&fake, "frame 3probe\nframe 2\nclose ws\nclosed\n");
    assert_int_equal(engineio_count(fake.engineio), 0);
    fake_end(&fake);
}

static void a_client_that_never_connects_is_closed(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, &(struct engineio_config){.connect_timeout_ms = SHORT_MS});
    fake_open(&fake);
    assert_non_null(fake_poll(&fake, "a"));
    fake_run(&fake, SOON_MS);
    fake_expect(&fake, "poll a: 200 " TEXT_PLAIN " 1\n");

    fake_connect(&fake); /* one that does is left alone */
    fake_run(&fake, SOON_MS);
    fake_expect(&fake, "");
    assert_true(fake_post(&fake, "41")); /* but it may not stay for ever without */
    fake_expect(&fake, "closed\n");
    fake_run(&fake, SOON_MS);
    assert_false(fake_post(&fake, "40"));
    fake_end(&fake);
}

static void a_client_that_closes_is_told_nothing(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, NULL);
    fake_connect(&fake);
    assert_non_null(fake_poll(&fake, "a"));
    assert_true(fake_post(&fake, "1\x1e"
                                 "42[\"late\"]"));
    fake_expect(&fake, "poll a: 200 " TEXT_PLAIN " 6\nclosed\n");

    fake_open_ws(&fake);
    fake_frame(&fake, "1");
    fake_expect(&fake, "close ws\nclosed\n");
    fake_end(&fake);
}

static void events_go_both_ways_by_frames(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, NULL);
    fake_open_ws(&fake);
    fake_frame(&fake, "42[\"input\",{\"data\":\"a\"}]");
    assert_int_equal(engineio_emit(fake.session, "output", slice_of("1")), 1);
    assert_int_equal(engineio_emit(fake.session, "output", slice_of("2")), 1);
    fake_expect(&fake, "event input {\"data\":\"a\"}\nframe 42[\"output\",1]\n"
                       "frame 42[\"output\",2]\n");
    fake_frame(&fake, "41");
    fake_expect(&fake, "closed\n");
    engineio_ws_closed(fake.session);
    fake_expect(&fake, "");
    assert_int_equal(engineio_count(fake.engineio), 0);

    static const char *const bad[] = {"", "42{bad", "abc", "2", "42[\"a\"]\x1e", "binary"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        fake_open_ws(&fake);
        if (strcmp(bad[i], "binary") == 0)
            engineio_ws_binary(fake.session);
        else
            fake_frame(&fake, bad[i]);
        fake_expect(&fake, "close ws\nclosed\n");
    }
    fake_open_ws(&fake);
    engineio_ws_closed(fake.session);
    fake_expect(&fake, "closed\n");
    fake_end(&fake);
}

static void a_session_changes_over_to_a_websocket(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, NULL);
    fake_connect(&fake);
    assert_non_null(fake_poll(&fake, "a"));
    assert_true(fake_arrive_ws(&fake));
    fake_expect(&fake, "");
    fake_frame(&fake, "2probe");
    fake_expect(&fake, "frame 3probe\npoll a: 200 " TEXT_PLAIN " 6\n");
    assert_null(fake_poll(&fake, "b")); /* one that was on its way */
    fake_expect(&fake, "poll b: 200 " TEXT_PLAIN " 6\n");
    assert_int_equal(engineio_emit(fake.session, "between", NO_ARGUMENT), 1);
    fake_expect(&fake, "");
    assert_true(fake_post(&fake, "42[\"posted\"]"));
    fake_frame(&fake, "5");
    fake_frame(&fake, "42[\"framed\"]");
    fake_expect(&fake, "event posted -\nevent framed -\nframe 42[\"between\"]\n");

    assert_null(fake_poll(&fake, "c"));
    fake_expect(&fake, "poll c: 400 application/json {\"code\":3,\"message\":\"Bad request\"}\n");
    assert_false(fake_post(&fake, "3"));
    assert_false(fake_arrive_ws(&fake)); /* it has one */
    fake_frame(&fake, "42[\"still\"]");
    fake_expect(&fake, "event still -\n");
    fake_end(&fake);
}

static void packets_leave_by_polls_until_the_upgrade(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, NULL);
    fake_connect(&fake);
    assert_true(fake_arrive_ws(&fake));
    assert_false(fake_arrive_ws(&fake)); /* a second, while the first one probes */
    fake_frame(&fake, "2probe");
    assert_int_equal(engineio_emit(fake.session, "queued", NO_ARGUMENT), 1);
    assert_null(fake_poll(&fake, "a")); /* instead of a noop */
    fake_frame(&fake, "5");
    fake_expect(&fake, "frame 3probe\npoll a: 200 " TEXT_PLAIN " 42[\"queued\"]\n");
    fake_end(&fake);
}

static void a_failed_upgrade_leaves_the_session_polling(void **state)
{
    (void)state;
    static const char *const wrong[] = {"5", "2", "42[\"a\"]", "3probe", "", "2probe\x1e"};
    struct fake fake;
    fake_start(&fake, &(struct engineio_config){.upgrade_timeout_ms = SHORT_MS});
    fake_connect(&fake);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_true(fake_arrive_ws(&fake));
        fake_frame(&fake, wrong[i]);
        fake_expect(&fake, "close ws\n");
    }
    assert_true(fake_arrive_ws(&fake));
    engineio_ws_closed(fake.session);
    fake_expect(&fake, "");
    assert_true(fake_arrive_ws(&fake));
    fake_frame(&fake, "2probe");
    fake_run(&fake, SOON_MS);
    fake_expect(&fake, "frame 3probe\nclose ws\n"); /* it took too long */
    assert_true(fake_arrive_ws(&fake));             /* another has to probe itself */
    assert_non_null(fake_poll(&fake, "a"));         /* and until then there is no noop */
    fake_frame(&fake, "5");
    fake_expect(&fake, "close ws\n");
    assert_true(fake_post(&fake, "42[\"here\"]"));
    fake_expect(&fake, "event here -\n");
    fake_end(&fake);
}

static void a_flood_is_held_and_nothing_is_lost(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, &(struct engineio_config){.queue_bytes = 30});
    fake_connect(&fake);
    assert_int_equal(engineio_emit(fake.session, "one", NO_ARGUMENT), 1);
    assert_int_equal(engineio_emit(fake.session, "two", NO_ARGUMENT), 1);
    assert_int_equal(engineio_emit(fake.session, "three", NO_ARGUMENT), 0);
    assert_int_equal(engineio_emit(fake.session, "four", NO_ARGUMENT), -1);
    fake_expect(&fake, "");
    assert_null(fake_poll(&fake, "a"));
    fake_expect(&fake,
                "poll a: 200 " TEXT_PLAIN " 42[\"one\"]|42[\"two\"]|42[\"three\"]\nwritable\n");
    assert_int_equal(engineio_emit(fake.session, "four", NO_ARGUMENT), 1);
    fake_expect(&fake, "");
    fake_end(&fake);
}

static void a_flood_is_held_by_a_slow_socket(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, &(struct engineio_config){.queue_bytes = 30});
    fake_open_ws(&fake);
    fake.ws_full = true;
    assert_int_equal(engineio_emit(fake.session, "one", NO_ARGUMENT), 1);
    assert_int_equal(engineio_emit(fake.session, "two", NO_ARGUMENT), 1);
    assert_int_equal(engineio_emit(fake.session, "three", NO_ARGUMENT), 0);
    fake_expect(&fake, "frame 42[\"one\"]\n");
    assert_int_equal(engineio_emit(fake.session, "four", NO_ARGUMENT), -1);
    engineio_ws_drained(fake.session);
    fake_expect(&fake, "frame 42[\"two\"]\nwritable\n");
    assert_int_equal(engineio_emit(fake.session, "four", NO_ARGUMENT), 1);
    fake_expect(&fake, "");
    fake.ws_full = false;
    engineio_ws_drained(fake.session);
    fake_expect(&fake, "frame 42[\"three\"]\nframe 42[\"four\"]\n");
    fake_end(&fake);
}

static void a_client_that_makes_us_answer_and_never_fetches_is_closed(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, &(struct engineio_config){.queue_bytes = 100, .max_payload = 400});
    fake_open(&fake);
    for (int i = 0; i < 100 && engineio_count(fake.engineio) > 0; i++) {
        (void)fake_post(&fake, "40/admin,");
        fake_run(&fake, 1);
    }
    assert_int_equal(engineio_count(fake.engineio), 0);
    fake_end(&fake);
}

static void what_only_answers_is_bounded_within_a_body_too(void **state)
{
    (void)state;
    static const char *const packets[] = {"40/admin,\x1e", "40\x1e"
                                                           "41\x1e"};
    for (size_t i = 0; i < ARRAY_LEN(packets); i++) {
        struct fake fake;
        char body[4000] = "";
        fake_start(&fake, &(struct engineio_config){.queue_bytes = 1000, .max_payload = 100000});
        fake_open(&fake);
        for (size_t at = 0; at + 100 < sizeof body; at += strlen(packets[i]))
            strcat(body, packets[i]);
        strcat(body, "6");
        assert_true(fake_post(&fake, body));
        fake.bytes = 0;
        assert_null(fake_poll(&fake, "a"));
        assert_in_range(fake.bytes, 1000, 1200);
        assert_int_equal(engineio_count(fake.engineio), 0);
        fake_end(&fake);
    }
}

static void what_cannot_be_queued_ends_the_session(void **state)
{
    (void)state;
    static char text[2000];
    struct fake fake;
    fake_start(&fake, &(struct engineio_config){.queue_bytes = 100, .max_payload = 400});
    fake_connect(&fake);
    assert_non_null(fake_poll(&fake, "a"));
    memset(text, '7', sizeof text);
    (void)engineio_emit(fake.session, "big", (struct slice){text, sizeof text});
    fake_expect(&fake, "poll a: 200 " TEXT_PLAIN " 1\nclosed\n");
    fake_end(&fake);
}

static void an_owner_that_disconnects_is_heard_to_the_end(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, NULL);
    fake_connect(&fake);
    struct engineio_session *session = fake_poll(&fake, "a");
    (void)engineio_emit(session, "last", NO_ARGUMENT);
    engineio_disconnect(session);
    fake_expect(&fake, "poll a: 200 " TEXT_PLAIN " 42[\"last\"]|41\n");
    assert_null(fake_poll(&fake, "b")); /* not before: a close would drop the events */
    fake_expect(&fake, "poll b: 200 " TEXT_PLAIN " 1\n");
    assert_int_equal(engineio_count(fake.engineio), 0);

    fake_connect(&fake); /* nothing polls: the next one gets it all */
    (void)engineio_emit(fake.session, "last", NO_ARGUMENT);
    engineio_disconnect(fake.session);
    fake_expect(&fake, "");
    assert_true(fake_post(&fake, "42[\"late\"]"));
    assert_null(fake_poll(&fake, "a"));
    fake_expect(&fake, "poll a: 200 " TEXT_PLAIN " 42[\"last\"]|41\n");
    assert_true(fake_post(&fake, "1"));
    fake_expect(&fake, "");
    assert_int_equal(engineio_count(fake.engineio), 0);

    fake_open_ws(&fake);
    fake.ws_full = true;
    (void)engineio_emit(fake.session, "one", NO_ARGUMENT);
    (void)engineio_emit(fake.session, "two", NO_ARGUMENT);
    engineio_disconnect(fake.session);
    fake_expect(&fake, "frame 42[\"one\"]\nframe 42[\"two\"]\nframe 41\nclose ws\n");
    fake_end(&fake);
}

static void last_words_that_nobody_fetches_are_dropped(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, &(struct engineio_config){.ping_timeout_ms = SHORT_MS});
    fake_connect(&fake);
    assert_true(fake_arrive_ws(&fake)); /* on its way, when we go */
    engineio_disconnect(fake.session);
    fake_expect(&fake, "close ws\n");
    assert_int_equal(engineio_count(fake.engineio), 1);
    fake_run(&fake, SOON_MS);
    fake_expect(&fake, "");
    assert_int_equal(engineio_count(fake.engineio), 0);
    fake_end(&fake);
}

static void an_owner_may_disconnect_while_it_is_told_an_event(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, NULL);
    fake.disconnect_on_event = true;
    fake_connect(&fake);
    assert_non_null(fake_poll(&fake, "a"));
    assert_true(fake_post(&fake, "42[\"a\"]\x1e"
                                 "42[\"b\"]"));
    fake_expect(&fake, "event a -\npoll a: 200 " TEXT_PLAIN " 41\n");
    fake_open_ws(&fake);
    fake_frame(&fake, "42[\"a\"]");
    fake_expect(&fake, "event a -\nframe 41\nclose ws\n");
    fake_end(&fake);
}

static void a_large_queue_goes_out_whole(void **state)
{
    (void)state;
    static char text[100000];
    struct fake fake;
    fake_start(&fake, NULL);
    fake_connect(&fake);
    memset(text, '7', sizeof text);
    fake.bytes = 0;
    size_t count = 1;
    while (engineio_emit(fake.session, "big", (struct slice){text, sizeof text}) == 1)
        count++;
    assert_null(fake_poll(&fake, "a"));
    fake_expect(&fake, "poll a: 200 " TEXT_PLAIN " (long)\nwritable\n");
    assert_int_equal(fake.bytes, count * (strlen("42[\"big\",]|") + sizeof text) - 1);
    fake_end(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_server_pings_and_a_pong_keeps_the_session),
        cmocka_unit_test(a_client_that_answers_no_ping_is_gone),
        cmocka_unit_test(a_client_that_never_connects_is_closed),
        cmocka_unit_test(a_client_that_closes_is_told_nothing),
        cmocka_unit_test(events_go_both_ways_by_frames),
        cmocka_unit_test(a_session_changes_over_to_a_websocket),
        cmocka_unit_test(packets_leave_by_polls_until_the_upgrade),
        cmocka_unit_test(a_failed_upgrade_leaves_the_session_polling),
        cmocka_unit_test(a_flood_is_held_and_nothing_is_lost),
        cmocka_unit_test(a_flood_is_held_by_a_slow_socket),
        cmocka_unit_test(a_client_that_makes_us_answer_and_never_fetches_is_closed),
        cmocka_unit_test(what_only_answers_is_bounded_within_a_body_too),
        cmocka_unit_test(what_cannot_be_queued_ends_the_session),
        cmocka_unit_test(an_owner_that_disconnects_is_heard_to_the_end),
        cmocka_unit_test(last_words_that_nobody_fetches_are_dropped),
        cmocka_unit_test(an_owner_may_disconnect_while_it_is_told_an_event),
        cmocka_unit_test(a_large_queue_goes_out_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
