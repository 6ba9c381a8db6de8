/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdlib.h>
#include <string.h>

#include "engineio_fake.h"

#define UNKNOWN_SID "{\"code\":1,\"message\":\"Session ID unknown\"}"
#define BAD_REQUEST "{\"code\":3,\"message\":\"Bad request\"}"

static void a_handshake_is_answered_to_the_byte(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, NULL);
    assert_null(fake_poll(&fake, "a"));
    fake_expect(&fake, "poll a: 200 text/plain; charset=UTF-8 "
                       "0{\"sid\":\"…\",\"upgrades\":[\"websocket\"],\"pingInterval\":25000,"
                       "\"pingTimeout\":20000,\"maxPayload\":1000000}\n");
    assert_int_equal(strlen(fake.sid), 20);
    assert_int_equal(strspn(fake.sid, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789-_"),
                     20);
    assert_int_equal(engineio_count(fake.engineio), 1);
    fake_end(&fake);
}

static void what_is_wrong_with_a_request_is_told_with_its_code(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        const char *eio;
        const char *transport;
        const char *sid;
        bool upgrade;
        const char *body;
    } rows[] = {
        {"GET", "4", NULL, NULL, false, "{\"code\":0,\"message\":\"Transport unknown\"}"},
        {"GET", "4", "abc", NULL, false, "{\"code\":0,\"message\":\"Transport unknown\"}"},
        {"GET", NULL, "flash", "x", false, "{\"code\":0,\"message\":\"Transport unknown\"}"},
        {"GET", "4", "", NULL, true, "Transport unknown"},
        {"GET", "4", "polling", "nobody", false, UNKNOWN_SID},
        {"POST", "4", "polling", "AAAAAAAAAAAAAAAAAAAA", false, UNKNOWN_SID},
        {"GET", "4", "websocket", "AAAAAAAAAAAAAAAAAAAA", true, "Session ID unknown"},
        {"POST", "4", "polling", NULL, false, "{\"code\":2,\"message\":\"Bad handshake method\"}"},
        {"PUT", "4", "polling", "", false, "{\"code\":2,\"message\":\"Bad handshake method\"}"},
        {"GET", "4", "websocket", NULL, false, BAD_REQUEST},
        {"GET", "4", "polling", NULL, true, "Bad request"},
        {"GET", "3", "polling", NULL, false,
         "{\"code\":5,\"message\":\"Unsupported protocol version\"}"},
        {"GET", NULL, "polling", NULL, false,
         "{\"code\":5,\"message\":\"Unsupported protocol version\"}"},
        {"GET", "abc", "websocket", NULL, true, "Unsupported protocol version"},
    };
    struct fake fake;
    fake_start(&fake, NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct engineio_query query = {
            .eio = rows[i].eio,
            .transport = rows[i].transport,
            .sid = rows[i].sid,
            .method = slice_of(rows[i].method),
            .upgrade = rows[i].upgrade,
        };
        struct engineio_answer answer;
        const char *type = rows[i].upgrade ? "text/html" : "application/json";
        if (rows[i].upgrade) {
            assert_null(engineio_ws_arrived(fake.engineio, &query, &answer));
        } else if (strcmp(rows[i].method, "GET") == 0) {
            struct buf expected;
            buf_init(&expected, 200);
            buf_add_format(&expected, "poll a: 400 application/json %s\n", rows[i].body);
            assert_null(engineio_poll_arrived(fake.engineio, &query, (void *)(uintptr_t) "a"));
            fake_expect(&fake, buf_text(&expected));
            buf_fini(&expected);
            continue;
        } else {
            answer = engineio_post_arrived(fake.engineio, &query, slice_of("40"));
        }
        assert_int_equal(answer.status, 400);
        assert_string_equal(answer.content_type, type);
        assert_true(slice_is(answer.body, rows[i].body));
    }
    assert_int_equal(engineio_count(fake.engineio), 0);
    struct engineio_query query = fake_query(&fake, "GET");
    assert_int_equal(engineio_refuse(&query, ENGINEIO_FORBIDDEN).status, 403);
    fake_end(&fake);
}

static void a_session_has_no_other_name(void **state)
{
    (void)state;
    struct fake fake;
    /* All sids in one list: they are told apart by being compared. */
    fake_start(&fake, &(struct engineio_config){.max_sessions = 1});
    fake_open(&fake);
    for (size_t i = 0; i < 20; i++) {
        char right = fake.sid[i];
        fake.sid[i] = right == 'A' ? 'B' : 'A';
        assert_false(fake_post(&fake, "40"));
        fake.sid[i] = right;
    }
    fake.sid[19] = '\0';
    assert_false(fake_post(&fake, "40"));
    fake_expect(&fake, "");
    fake_end(&fake);
}

static void events_go_both_ways_by_polling(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, NULL);
    fake_open(&fake);
    assert_true(fake_post(&fake, "40{\"token\":\"x\"}"));
    fake_expect(&fake, "connected\n");
    assert_null(fake_poll(&fake, "a"));
    fake_expect(&fake, "poll a: 200 " TEXT_PLAIN " 40{\"sid\":\"…\"}\n");
    assert_int_equal(strlen(fake.id), 20);
    assert_string_not_equal(fake.id, fake.sid);
    assert_string_equal(engineio_client(fake.session), "192.0.2.1");

    struct engineio_session *session = fake_poll(&fake, "b");
    assert_ptr_equal(session, fake.session);
    fake_expect(&fake, "");
    assert_true(fake_post(&fake, "42[\"input\",{\"data\":\"é\"},2]\x1e"
                                 "4212[\"stop\"]\x1e"
                                 "6\x1e"
                                 "435[]\x1e"
                                 "42[7]"));
    fake_expect(&fake, "event input {\"data\":\"é\"}\nevent stop -\nevent  -\n");

    /* What one turn emits comes with one answer. */
    assert_int_equal(engineio_emit(session, "output", slice_of("{\"data\":\"a\"}")), 1);
    assert_int_equal(engineio_emit(session, "done", (struct slice){"", 0}), 1);
    fake_expect(&fake, "poll b: 200 " TEXT_PLAIN " 42[\"output\",{\"data\":\"a\"}]|42[\"done\"]\n");
    /* What comes between two polls waits for the second. */
    assert_int_equal(engineio_emit(session, "more", slice_of("1")), 1);
    fake_expect(&fake, "");
    assert_null(fake_poll(&fake, "c"));
    fake_expect(&fake, "poll c: 200 " TEXT_PLAIN " 42[\"more\",1]\n");
    fake_end(&fake);
    assert_int_equal(fake.said.len, 0);
}

static void a_second_poll_ends_the_session(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, NULL);
    fake_connect(&fake);
    assert_non_null(fake_poll(&fake, "a"));
    assert_null(fake_poll(&fake, "b"));
    fake_expect(&fake, "poll a: 200 " TEXT_PLAIN " 1\nclosed\npoll b: 400 - \n");
    assert_null(fake_poll(&fake, "c"));
    fake_expect(&fake, "poll c: 400 application/json " UNKNOWN_SID "\n");
    assert_int_equal(engineio_count(fake.engineio), 0);
    fake_end(&fake);
}

static void a_client_that_leaves_its_poll_is_gone(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, NULL);
    fake_connect(&fake);
    engineio_poll_gone(fake_poll(&fake, "a"));
    fake_expect(&fake, "closed\n");
    assert_false(fake_post(&fake, "3"));
    fake_end(&fake);
}

static void what_must_not_be_there_ends_the_session(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *said;
    } rows[] = {
        {"", ""},
        {"abc", ""},
        {"42{bad", ""},
        {"bAQIDBA==", ""},
        {"3\x1e", ""},
        {"\x1e"
         "3",
         ""},
        {"3\xFF", ""},
        {"42[\"a\",\"\xED\xA0\x80\"]", ""},
        {"2", ""},
        {"2probe", ""},
        {"40", ""},
        {"41/admin,", ""},
        {"42/admin,[\"a\"]", ""},
        {"44{\"message\":\"a\"}", ""},
        {"451-[\"a\",{\"_placeholder\":true,\"num\":0}]", ""},
        {"42[\"disconnect\"]", ""},
        {"42[\"a\"]\x1e"
         "42\x1e"
         "42[\"b\"]",
         "event a -\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fake fake;
        fake_start(&fake, NULL);
        fake_connect(&fake);
        assert_non_null(fake_poll(&fake, "a"));
        struct engineio_query query = fake_query(&fake, "POST");
        struct engineio_answer answer =
            engineio_post_arrived(fake.engineio, &query, slice_of(rows[i].body));
        assert_int_equal(answer.status, 400);
        assert_true(slice_is(answer.body, BAD_REQUEST));
        struct buf said;
        buf_init(&said, 200);
        buf_add_format(&said, "%spoll a: 200 " TEXT_PLAIN " 1\nclosed\n", rows[i].said);
        fake_expect(&fake, buf_text(&said));
        buf_fini(&said);
        assert_int_equal(engineio_count(fake.engineio), 0);
        fake_end(&fake);
    }
}

static void a_body_over_the_maximum_is_413_and_no_more(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, &(struct engineio_config){.max_payload = 40});
    fake_connect(&fake);
    struct engineio_query query = fake_query(&fake, "POST");
    char body[41];
    memset(body, '3', sizeof body);
    assert_int_equal(engineio_post_arrived(fake.engineio, &query, (struct slice){body, 41}).status,
                     413);
    assert_int_equal(engineio_post_arrived(fake.engineio, &query, (struct slice){body, 40}).status,
                     200);
    fake_expect(&fake, "");
    assert_int_equal(engineio_post_arrived(fake.engineio, &query, (struct slice){NULL, 0}).status,
                     400);
    fake_expect(&fake, "closed\n");
    fake_connect(&fake);
    query.method = slice_of("PUT");
    assert_int_equal(engineio_post_arrived(fake.engineio, &query, slice_of("3")).status, 400);
    fake_end(&fake);
}

static void there_are_no_more_sessions_than_the_maximum(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, &(struct engineio_config){.max_sessions = 2});
    fake_connect(&fake);
    fake_connect(&fake);
    char sid[sizeof fake.sid];
    memcpy(sid, fake.sid, sizeof sid);
    fake.sid[0] = '\0';
    assert_null(fake_poll(&fake, "c"));
    fake_expect(&fake,
                "poll c: 503 application/json {\"code\":3,\"message\":\"Too many sessions\"}\n");
    struct engineio_query query = fake_query(&fake, "GET");
    query.transport = "websocket";
    query.upgrade = true;
    struct engineio_answer answer;
    assert_null(engineio_ws_arrived(fake.engineio, &query, &answer));
    assert_int_equal(answer.status, 503);
    memcpy(fake.sid, sid, sizeof sid);
    assert_true(fake_post(&fake, "1"));
    fake_open(&fake);
    assert_int_equal(engineio_count(fake.engineio), 2);
    fake_end(&fake);
}

static void one_holder_leaves_sessions_for_others(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, &(struct engineio_config){.max_sessions = 8});
    fake.holder = 1;
    for (int i = 0; i < 6; i++)
        fake_connect(&fake);
    fake.sid[0] = '\0';
    assert_null(fake_poll(&fake, "c"));
    fake_expect(&fake,
                "poll c: 503 application/json {\"code\":3,\"message\":\"Too many sessions\"}\n");
    fake.holder = 2;
    fake_connect(&fake);
    fake.holder = 0; /* a program on this machine */
    fake_connect(&fake);
    assert_int_equal(engineio_count(fake.engineio), 8);
    fake_end(&fake);
}

static void sessions_that_never_connect_make_room(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, &(struct engineio_config){.max_sessions = 8});
    for (fake.holder = 0; fake.holder < 2; fake.holder++) {
        for (int i = 0; i < 20; i++)
            fake_open(&fake);
        assert_int_equal(engineio_count(fake.engineio), 2 + 2 * fake.holder);
    }
    assert_true(fake_post(&fake, "40")); /* the youngest is there */
    fake_expect(&fake, "connected\n");
    for (fake.holder = 2; fake.holder < 12; fake.holder++)
        fake_open(&fake);
    assert_int_equal(engineio_count(fake.engineio), 8);
    fake.holder = 12;
    for (int i = 0; i < 6; i++)
        fake_connect(&fake);
    assert_int_equal(engineio_count(fake.engineio), 8);
    fake_end(&fake);
}

static void the_end_of_the_service_ends_every_session(void **state)
{
    (void)state;
    struct fake fake;
    fake_start(&fake, NULL);
    fake_connect(&fake);
    assert_non_null(fake_poll(&fake, "a"));
    fake_open_ws(&fake);
    engineio_free(fake.engineio);
    fake.engineio = NULL;
    assert_non_null(strstr(buf_text(&fake.said), "poll a: 200 " TEXT_PLAIN " 1\nclosed\n"));
    assert_non_null(strstr(buf_text(&fake.said), "close ws\nclosed\n"));
    fake_end(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_is_answered_to_the_byte),
        cmocka_unit_test(what_is_wrong_with_a_request_is_told_with_its_code),
        cmocka_unit_test(a_session_has_no_other_name),
        cmocka_unit_test(events_go_both_ways_by_polling),
        cmocka_unit_test(a_second_poll_ends_the_session),
        cmocka_unit_test(a_client_that_leaves_its_poll_is_gone),
        cmocka_unit_test(what_must_not_be_there_ends_the_session),
        cmocka_unit_test(a_body_over_the_maximum_is_413_and_no_more),
        cmocka_unit_test(there_are_no_more_sessions_than_the_maximum),
        cmocka_unit_test(one_holder_leaves_sessions_for_others),
        cmocka_unit_test(sessions_that_never_connect_make_room),
        cmocka_unit_test(the_end_of_the_service_ends_every_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
