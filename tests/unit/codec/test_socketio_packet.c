/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/socketio_packet.h"

#define NONE ((struct slice){"", 0})

static void each_type_of_engineio_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum engineio_type type;
        const char *data;
    } rows[] = {
        {"0{}", ENGINEIO_OPEN, "{}"},
        {"1", ENGINEIO_CLOSE, ""},
        {"2probe", ENGINEIO_PING, "probe"},
        {"3probe", ENGINEIO_PONG, "probe"},
        {"42[\"a\"]", ENGINEIO_MESSAGE, "2[\"a\"]"},
        {"5", ENGINEIO_UPGRADE, ""},
        {"6", ENGINEIO_NOOP, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct slice text = slice_of(rows[i].text);
        struct engineio_packet packet;
        assert_int_equal(engineio_read_packet(text, &packet), 0);
        assert_int_equal(packet.type, rows[i].type);
        assert_true(slice_is(packet.data, rows[i].data));
        assert_ptr_equal(packet.data.at, text.at + 1);

        struct buf out;
        buf_init(&out, 100);
        engineio_write_packet(&out, packet.type, packet.data);
        assert_string_equal(buf_text(&out), rows[i].text);
        buf_fini(&out);
    }
}

static void what_is_no_packet_of_engineio_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "", "7", "9", "abc", "bAQIDBA==", " 4", "-1", "\xFF", "\xE2\x82\xAC", "/"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct engineio_packet packet;
        if (engineio_read_packet(slice_of(rows[i]), &packet) != -EBADMSG)
            fail_msg("'%s' is taken", rows[i]);
    }
    struct engineio_packet packet;
    assert_int_equal(engineio_read_packet((struct slice){NULL, 0}, &packet), -EBADMSG);
    assert_int_equal(engineio_read_packet((struct slice){"\0", 1}, &packet), -EBADMSG);
}

static void a_payload_is_cut_at_its_separators(void **state)
{
    (void)state;
    static const struct {
        const char *payload;
        const char *packets[4];
    } rows[] = {
        {"4hello", {"4hello"}},
        {"4hello\x1e"
         "2\x1e"
         "4world",
         {"4hello", "2", "4world"}},
        {"41\x1e"
         "1",
         {"41", "1"}},
        {"", {""}},
        {"\x1e", {"", ""}},
        {"3\x1e", {"3", ""}},
        {"\x1e"
         "3",
         {"", "3"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct slice payload = slice_of(rows[i].payload);
        struct slice text;
        size_t count = 0;
        for (; engineio_cut_packet(&payload, &text); count++) {
            assert_non_null(rows[i].packets[count]);
            assert_true(slice_is(text, rows[i].packets[count]));
        }
        assert_null(rows[i].packets[count]);
    }
}

static void written_packets_are_a_payload(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 200);
    socketio_write_head(&out, SOCKETIO_CONNECT, slice_of("/"), NONE);
    buf_add_text(&out, "{\"sid\":\"x\"}");
    engineio_write_packet(&out, ENGINEIO_PING, NONE);
    socketio_write_event(&out, "output", slice_of("{\"data\":\"a\"}"));
    socketio_write_event(&out, "na\"\x1eme", NONE);
    socketio_write_head(&out, SOCKETIO_CONNECT_ERROR, slice_of("/admin"), NONE);
    socketio_write_head(&out, SOCKETIO_ACK, slice_of("/admin"), slice_of("13"));
    socketio_write_head(&out, SOCKETIO_DISCONNECT, slice_of("/"), NONE);
    assert_string_equal(buf_text(&out), "40{\"sid\":\"x\"}\x1e"
                                        "2\x1e"
                                        "42[\"output\",{\"data\":\"a\"}]\x1e"
                                        "42[\"na\\\"\\u001eme\"]\x1e"
                                        "44/admin,\x1e"
                                        "43/admin,13\x1e"
                                        "41");
    buf_fini(&out);
}

struct reading {
    const char *text;
    enum socketio_type type;
    const char *space;
    const char *id;
    const char *payload; /* as jansson writes it; NULL: none */
};

static void packets_of_socketio_are_read(void **state)
{
    (void)state;
    static const struct reading rows[] = {
        {"0", SOCKETIO_CONNECT, "/", "", NULL},
        {"0{}", SOCKETIO_CONNECT, "/", "", "{}"},
        {"0{\"token\":\"123\"}", SOCKETIO_CONNECT, "/", "", "{\"token\":\"123\"}"},
        {"0/", SOCKETIO_CONNECT, "/", "", NULL},
        {"0/,", SOCKETIO_CONNECT, "/", "", NULL},
        {"0/admin,", SOCKETIO_CONNECT, "/admin", "", NULL},
        {"0/random", SOCKETIO_CONNECT, "/random", "", NULL},
        {"0/admin,{\"a\":[1]}", SOCKETIO_CONNECT, "/admin", "", "{\"a\":[1]}"},
        {"1", SOCKETIO_DISCONNECT, "/", "", NULL},
        {"1/admin,", SOCKETIO_DISCONNECT, "/admin", "", NULL},
        {"2[\"foo\"]", SOCKETIO_EVENT, "/", "", "[\"foo\"]"},
        {"212[\"foo\",{\"a\":1}]", SOCKETIO_EVENT, "/", "12", "[\"foo\",{\"a\":1}]"},
        {"2/admin,13[\"foo\"]", SOCKETIO_EVENT, "/admin", "13", "[\"foo\"]"},
        {"2[1,2]", SOCKETIO_EVENT, "/", "", "[1,2]"},
        {"2[\"a\",\"]\\\"/,\"]", SOCKETIO_EVENT, "/", "", "[\"a\",\"]\\\"/,\"]"},
        {"299999999999999999999999999[\"a\"]", SOCKETIO_EVENT, "/", "99999999999999999999999999",
         "[\"a\"]"},
        {"315[]", SOCKETIO_ACK, "/", "15", "[]"},
        {"3/admin,13[\"bar\"]", SOCKETIO_ACK, "/admin", "13", "[\"bar\"]"},
        {"4{\"message\":\"no\"}", SOCKETIO_CONNECT_ERROR, "/", "", "{\"message\":\"no\"}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_socketio_packet struct socketio_packet packet = {0};
        if (socketio_read_packet(slice_of(rows[i].text), &packet) != 0)
            fail_msg("'%s' is refused", rows[i].text);
        assert_int_equal(packet.type, rows[i].type);
        assert_true(slice_is(packet.space, rows[i].space));
        assert_true(slice_is(packet.id, rows[i].id));
        auto_free char *payload = packet.payload ? json_dumps(packet.payload, JSON_COMPACT) : NULL;
        if (rows[i].payload)
            assert_string_equal(payload, rows[i].payload);
        else
            assert_null(payload);
    }
}

static void what_is_no_packet_of_socketio_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "", "5", "51-[\"baz\",{\"_placeholder\":true,\"num\":0}]", "61-15[]", "7", "abc", "-",
        /* what a type may not, or must, carry */
        "0[]", "0\"a\"", "012", "07{}", "1{}", "1[]", "11", "2", "2/admin,", "212", "3[]", "315",
        "315{}", "4", "4\"no\"", "4[]",
        /* events without a name, or with one that is not for clients */
        "2[]", "2{}", "2\"foo\"", "2[null]", "2[true]", "2[{}]", "2[[\"a\"]]", "2[\"connect\"]",
        "2[\"connect_error\"]", "2[\"disconnect\"]", "2[\"disconnecting\"]", "2[\"newListener\"]",
        "2[\"removeListener\"]",
        /* texts that are not JSON, or not as strict as ours */
        "2{bad", "2[", "2[\"a\"", "2[\"a\"]]", "2[\"a\"]x", "2[\"a\",]", "2[\"a\",1e999]",
        "2[\"a\",99999999999999999999]", "2[\"a\",{\"b\":1,\"b\":2}]", "2[\"a\",\"\xFF\"]",
        "0{\"a\":\"\\ud800\"}", "2 12[\"a\"]", "2-1[\"a\"]", "2[\"a\",NaN]",
        /* namespaces */
        "0/a\nb,", "0/a\x1e,", "2admin,[\"a\"]"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct socketio_packet packet = {0};
        if (socketio_read_packet(slice_of(rows[i]), &packet) != -EBADMSG)
            fail_msg("'%s' is taken", rows[i]);
        assert_null(packet.payload);
    }
    struct socketio_packet packet;
    assert_int_equal(socketio_read_packet((struct slice){NULL, 0}, &packet), -EBADMSG);
    assert_int_equal(socketio_read_packet((struct slice){"2[\"a\0\"]", 7}, &packet), -EBADMSG);
    assert_int_equal(socketio_read_packet((struct slice){"0\0", 2}, &packet), -EBADMSG);
}

static void names_and_arguments_of_events_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *name;
        const char *argument;
    } rows[] = {
        {"2[\"input\",{\"data\":\"a\"},2]", "input", "{\"data\":\"a\"}"},
        {"2[\"input\"]", "input", NULL},
        {"2[\"\",null]", "", "null"},
        {"2[7,\"x\"]", "", "\"x\""},
        {"2[7.5]", "", NULL},
        {"2[\"\\u00e9\",[]]", "\xC3\xA9", "[]"},
        {"2[\"input\",\"\\ud83d\"]", "input", "\"\xEF\xBF\xBD\""},
        {"2[\"input\",\"\\u0000\"]", "input", "\"\\u0000\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_socketio_packet struct socketio_packet packet = {0};
        assert_int_equal(socketio_read_packet(slice_of(rows[i].text), &packet), 0);
        assert_true(slice_is(socketio_event_name(&packet), rows[i].name));
        json_t *argument = socketio_event_argument(&packet);
        auto_free char *text =
            argument ? json_dumps(argument, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        if (rows[i].argument)
            assert_string_equal(text, rows[i].argument);
        else
            assert_null(text);
    }
}

/* Of `count` times `unit` between `start` and `end`. */
static int read_long(const char *start, const char *unit, size_t count, const char *end)
{
    struct buf text;
    buf_init(&text, 2 * MIB);
    buf_add_text(&text, start);
    for (size_t i = 0; i < count; i++)
        buf_add_text(&text, unit);
    buf_add_text(&text, end);
    assert_false(text.failed);
    struct socketio_packet packet = {0};
    int rc = socketio_read_packet(buf_slice(&text), &packet);
    socketio_packet_fini(&packet);
    buf_fini(&text);
    return rc;
}

static void no_shape_hurts(void **state)
{
    (void)state;
    assert_int_equal(read_long("2[\"a\",", "[", 1000000, ""), -EBADMSG);
    assert_int_equal(read_long("2[\"a\",", "{\"b\":", 200000, ""), -EBADMSG);
    assert_int_equal(read_long("2[\"a\"", ",1", 65000, "]"), 0);
    assert_int_equal(read_long("2[\"a\"", ",1", 500000, "]"), -EBADMSG);
    assert_int_equal(read_long("2[\"", "a", 1000000, "\"]"), 0);
    assert_int_equal(read_long("2", "7", 1000000, "[\"a\"]"), 0); /* an id has no size */
    assert_int_equal(read_long("2[\"a\",", "7", 1000000, "]"), -EBADMSG);
    assert_int_equal(read_long("0/", "n", SOCKETIO_NAMESPACE_MAX - 1, ","), 0);
    assert_int_equal(read_long("0/", "n", SOCKETIO_NAMESPACE_MAX, ","), -EBADMSG);
    assert_int_equal(read_long("0/", "n", 1000000, ""), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_of_engineio_is_read),
        cmocka_unit_test(what_is_no_packet_of_engineio_is_refused),
        cmocka_unit_test(a_payload_is_cut_at_its_separators),
        cmocka_unit_test(written_packets_are_a_payload),
        cmocka_unit_test(packets_of_socketio_are_read),
        cmocka_unit_test(what_is_no_packet_of_socketio_is_refused),
        cmocka_unit_test(names_and_arguments_of_events_are_found),
        cmocka_unit_test(no_shape_hurts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
