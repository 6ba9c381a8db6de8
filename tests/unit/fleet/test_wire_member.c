/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "fleet/wire.h"

static const struct member worker = {
    .name = "box-7",
    .host = "box-7.example.org",
    .version = "0.1.0",
    .lock = "a2c4-4026531840",
    .is_worker = true,
    .slots = 8,
    .running = 3,
    .memory_bytes = 16 * GIB,
    .promised_bytes = 3 * GIB,
    .load_milli = 1250,
    .service_ms = 340,
    .started_ms = 1790000000000,
    .last_seen_ms = 1790000012345,
    .draining = true,
    .without_broker = true,
    .languages = "bash c python",
};

static void a_member_comes_out_as_it_went_in(void **state)
{
    (void)state;
    struct member member;
    struct err err = {0};
    struct buf text;
    buf_init(&text, 4096);
    assert_int_equal(member_encode(&worker, &text), 0);
    assert_string_equal(
        buf_text(&text),
        "{\"fleet_version\":1,\"kind\":\"worker\",\"name\":\"box-7\",\"host\":\"box-7.example."
        "org\","
        "\"version\":\"0.1.0\",\"lock\":\"a2c4-4026531840\",\"slots\":8,\"running\":3,\"memory_"
        "bytes\":17179869184,"
        "\"promised_bytes\":3221225472,\"load_milli\":1250,\"service_ms\":340,"
        "\"started_ms\":1790000000000,\"last_seen_ms\":1790000012345,\"draining\":true,"
        "\"without_broker\":true,"
        "\"languages\":[\"bash\",\"c\",\"python\"]}");
    assert_int_equal(member_decode(buf_slice(&text), &member, &err), 0);
    assert_memory_equal(&member, &worker, sizeof member);
    buf_fini(&text);
}

static void a_front_has_little_to_say(void **state)
{
    (void)state;
    static const struct member front = {.name = "f"};
    struct member member;
    struct err err = {0};
    struct buf text;
    buf_init(&text, 4096);
    assert_int_equal(member_encode(&front, &text), 0);
    assert_int_equal(member_decode(buf_slice(&text), &member, &err), 0);
    assert_memory_equal(&member, &front, sizeof member);
    buf_fini(&text);
}

static void what_is_no_member_is_refused_by_its_field(void **state)
{
    (void)state;
#define START "{\"fleet_version\":1,"
#define NAMES "\"kind\":\"worker\",\"name\":\"a\""
    static const struct {
        const char *text;
        const char *field;
    } rows[] = {
        {"", ""},
        {"{}", "fleet_version"},
        {START "\"kind\":\"worker\"}", "name"},
        {START "\"kind\":\"worker\",\"name\":\"a b\"}", "name"},
        {START "\"name\":\"a\"}", "kind"},
        {START "\"name\":\"a\",\"kind\":\"king\"}", "kind"},
        {START NAMES ",\"slots\":4294967296}", "slots"},
        {START NAMES ",\"slots\":-1}", "slots"},
        {START NAMES ",\"load_milli\":0.5}", "load_milli"},
        {START NAMES ",\"draining\":\"no\"}", "draining"},
        {START NAMES ",\"languages\":\"c\"}", "languages"},
        {START NAMES ",\"languages\":[\"a b\"]}", "languages"},
        {START NAMES ",\"languages\":[7]}", "languages"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct member member;
        struct err err = {0};
        if (member_decode(slice_of(rows[i].text), &member, &err) == 0)
            fail_msg("row %zu was taken: %s", i, rows[i].text);
        if (strcmp(err.field, rows[i].field) != 0)
            fail_msg("row %zu: '%s' %s", i, err.field, err.text);
    }
}

static void languages_beyond_the_room_are_left_out(void **state)
{
    (void)state;
    struct member member;
    struct err err = {0};
    struct buf text;
    buf_init(&text, 4096);
    buf_add_text(&text, START NAMES ",\"languages\":[\"x\"");
    for (size_t i = 0; i < 300; i++)
        buf_add_text(&text, ",\"lang\"");
    buf_add_text(&text, "]}");
    assert_int_equal(member_decode(buf_slice(&text), &member, &err), 0);
    assert_in_range(strlen(member.languages), sizeof member.languages - 7,
                    sizeof member.languages - 1);
    assert_memory_equal(member.languages, "x lang lang", 11);
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_comes_out_as_it_went_in),
        cmocka_unit_test(a_front_has_little_to_say),
        cmocka_unit_test(what_is_no_member_is_refused_by_its_field),
        cmocka_unit_test(languages_beyond_the_room_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
