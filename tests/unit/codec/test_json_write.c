/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json_write.h"
#include "codec/utf8.h"

static void check(struct buf *buf, const char *expected)
{
    assert_false(buf->failed);
    assert_string_equal(buf_text(buf), expected);
    buf_clear(buf);
}

static void commas_and_keys_come_by_themselves(void **state)
{
    (void)state;
    auto_buf struct buf buf;
    buf_init(&buf, 1000);
    struct json json = json_start(&buf);
    json_open_object(&json, NULL);
    json_text(&json, "verdict", "succeeded");
    json_text(&json, "reason", NULL);
    json_open_array(&json, "parts");
    json_u64(&json, NULL, 1);
    json_open_object(&json, NULL);
    json_close_object(&json);
    json_open_array(&json, NULL);
    json_bool(&json, NULL, true);
    json_bool(&json, NULL, false);
    json_nothing(&json, NULL);
    json_close_array(&json);
    json_close_array(&json);
    json_slice(&json, "a\"b", (struct slice){"cut off", 3});
    json_close_object(&json);
    check(&buf, "{\"verdict\":\"succeeded\",\"reason\":null,\"parts\":[1,{},[true,false,null]],"
                "\"a\\\"b\":\"cut\"}");
}

static void numbers_are_written_exactly(void **state)
{
    (void)state;
    auto_buf struct buf buf;
    buf_init(&buf, 1000);
    struct json json = json_start(&buf);
    json_open_array(&json, NULL);
    json_u64(&json, NULL, 0);
    json_u64(&json, NULL, UINT64_MAX);
    json_i64(&json, NULL, INT64_MIN);
    json_i64(&json, NULL, INT64_MAX);
    json_i64(&json, NULL, -1);
    json_exact_u64(&json, NULL, 9007199254740991);
    json_exact_u64(&json, NULL, 9007199254740992);
    json_close_array(&json);
    check(&buf, "[0,18446744073709551615,-9223372036854775808,9223372036854775807,-1,"
                "9007199254740991,null]");
    json = json_start(&buf);
    json_open_array(&json, NULL);
    static const uint64_t milli[] = {0, 1, 10, 50, 500, 1000, 1050, 1500, 10000, 1999, UINT64_MAX};
    for (size_t i = 0; i < ARRAY_LEN(milli); i++)
        json_milli(&json, NULL, milli[i]);
    json_close_array(&json);
    check(&buf, "[0,0.001,0.01,0.05,0.5,1,1.05,1.5,10,1.999,18446744073709551.615]");
}

static void texts_are_escaped(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"\"\\/", "\"\\\"\\\\/\""},
        {"\n\r\t\b\f", "\"\\n\\r\\t\\b\\f\""},
        {"\x01\x1F\x7F", "\"\\u0001\\u001f\x7F\""},
        {"\x1B[1m", "\"\\u001b[1m\""},
        {"gr\xC3\xBC\xC3\x9F\xE2\x82\xAC", "\"gr\xC3\xBC\xC3\x9F\xE2\x82\xAC\""},
        {"\xF0\x9F\x98\x80", "\"\xF0\x9F\x98\x80\""},
        {"a\xFF"
         "b",
         "\"a\xEF\xBF\xBD"
         "b\""},
        {"\xE2\x82", "\"\xEF\xBF\xBD\""},
        {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
    };
    auto_buf struct buf buf;
    buf_init(&buf, 1000);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct json json = json_start(&buf);
        json_text(&json, NULL, rows[i][0]);
        check(&buf, rows[i][1]);
    }
    struct json json = json_start(&buf);
    json_slice(&json, NULL, (struct slice){"a\0b", 3});
    check(&buf, "\"a\\u0000b\"");
}

static void whatever_goes_in_a_strict_parser_gets_it_back(void **state)
{
    (void)state;
    srandom(4711);
    auto_buf struct buf buf;
    auto_buf struct buf clean;
    buf_init(&buf, 1000);
    buf_init(&clean, 1000);
    for (int round = 0; round < 20000; round++) {
        char bytes[60];
        size_t len = (size_t)random() % sizeof bytes;
        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)(random() % (round % 2 ? 256 : 128));
        buf_clear(&buf);
        buf_clear(&clean);
        utf8_append_clean(&clean, (struct slice){bytes, len}, true);
        struct json json = json_start(&buf);
        json_slice(&json, NULL, (struct slice){bytes, len});
        assert_false(buf.failed);
        json_t *value = json_loadb(buf_text(&buf), buf.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(value);
        struct slice back = {json_string_value(value), json_string_length(value)};
        assert_true(slice_equal(back, buf_slice(&clean)));
        json_decref(value);
    }
}

static void too_much_is_the_failure_of_the_buf(void **state)
{
    (void)state;
    auto_buf struct buf buf;
    buf_init(&buf, 10);
    struct json json = json_start(&buf);
    json_text(&json, NULL, "12345678");
    assert_false(buf.failed);
    buf_clear(&buf);
    json = json_start(&buf);
    json_text(&json, NULL, "123456789");
    assert_true(buf.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_and_keys_come_by_themselves),
        cmocka_unit_test(numbers_are_written_exactly),
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(whatever_goes_in_a_strict_parser_gets_it_back),
        cmocka_unit_test(too_much_is_the_failure_of_the_buf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
