/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "codec/utf8.h"

/* The reference: decodes first and asks about the code point afterwards, in the
 * words of RFC 3629, so that it shares no table with what it judges. */
static int slow_length(const unsigned char *at, size_t len)
{
    if (len == 0)
        return -1;
    int length = at[0] < 0x80         ? 1
                 : at[0] >> 5 == 0x06 ? 2
                 : at[0] >> 4 == 0x0E ? 3
                 : at[0] >> 3 == 0x1E ? 4
                                      : 0;
    if (length <= 1)
        return length;
    uint32_t lowest = at[0] & (0x7FU >> length);
    uint32_t highest = lowest;
    bool cut = false;
    for (int i = 1; i < length; i++) {
        cut = cut || (size_t)i >= len;
        if (!cut && at[i] >> 6 != 2)
            return 0;
        /* A byte that has not come yet may be anything from 80 to BF. */
        lowest = lowest << 6 | (cut ? 0 : at[i] & 0x3FU);
        highest = highest << 6 | (cut ? 0x3F : at[i] & 0x3FU);
    }
    static const uint32_t firsts[] = {0, 0, 0x80, 0x800, 0x10000};
    bool overlong = highest < firsts[length];
    bool surrogate = lowest >= 0xD800 && highest <= 0xDFFF;
    if (overlong || surrogate || lowest > 0x10FFFF)
        return 0;
    return cut ? -1 : length;
}

/* One byte at a time: as long as more could follow, a part is not ill-formed. */
static size_t slow_clean(char *out, const unsigned char *at, size_t len)
{
    size_t used = 0;
    size_t written = 0;
    while (used < len) {
        int length = slow_length(at + used, len - used);
        if (length > 0) {
            memcpy(out + written, at + used, (size_t)length);
            written += (size_t)length;
            used += (size_t)length;
            continue;
        }
        size_t subpart = 1;
        while (subpart < len - used && slow_length(at + used, subpart + 1) == -1)
            subpart++;
        memcpy(out + written, "\xEF\xBF\xBD", 3);
        written += 3;
        used += subpart;
    }
    return written;
}

static void every_sequence_of_up_to_three_bytes_agrees_with_the_reference(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 1U << 24; i++) {
        unsigned char bytes[] = {(unsigned char)(i >> 16), (unsigned char)(i >> 8),
                                 (unsigned char)i};
        for (size_t len = 0; len <= 3; len++) {
            struct slice slice = {(const char *)bytes, len};
            if (utf8_length(slice) != slow_length(bytes, len))
                fail_msg("%02x %02x %02x of %zu", bytes[0], bytes[1], bytes[2], len);
        }
        if (bytes[0] < 0xC0) /* the rest says nothing new */
            i |= 0xFFFF;
    }
}

static void every_code_point_is_valid_but_for_surrogates(void **state)
{
    (void)state;
    for (uint32_t point = 0x10000; point < 0x1FFFFF; point++) {
        unsigned char bytes[] = {
            (unsigned char)(0xF0 | point >> 18), (unsigned char)(0x80 | (point >> 12 & 0x3F)),
            (unsigned char)(0x80 | (point >> 6 & 0x3F)), (unsigned char)(0x80 | (point & 0x3F))};
        int length = utf8_length((struct slice){(const char *)bytes, 4});
        if (length != (point <= 0x10FFFF ? 4 : 0) || length != slow_length(bytes, 4))
            fail_msg("U+%X: %d", point, length);
    }
}

/* Bytes that are likelier than chance to be nearly right. */
static unsigned char random_byte(void)
{
    static const unsigned char edges[] = {0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1,
                                          0xC2, 0xDF, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF};
    return edges[(size_t)random() % ARRAY_LEN(edges)];
}

static void cleaning_agrees_with_the_reference_however_it_is_cut(void **state)
{
    (void)state;
    srandom(20240229);
    auto_buf struct buf out;
    buf_init(&out, 1000);
    for (int round = 0; round < 50000; round++) {
        unsigned char bytes[40];
        char expected[sizeof bytes * 3];
        size_t len = (size_t)random() % (sizeof bytes + 1);
        for (size_t i = 0; i < len; i++)
            bytes[i] = random() % 3 == 0 ? 'a' : random_byte();
        size_t expected_len = slow_clean(expected, bytes, len);

        buf_clear(&out);
        size_t at = 0;
        size_t end = 0;
        while (end < len) { /* as it comes from a pipe: a few bytes at a time */
            size_t more = 1 + (size_t)random() % 20;
            end = MIN(end + more, len);
            at += utf8_append_clean(&out, (struct slice){(char *)bytes + at, end - at}, false);
            assert_true(end - at <= 3);
            assert_true(utf8_valid(buf_slice(&out)));
        }
        at += utf8_append_clean(&out, (struct slice){(char *)bytes + at, end - at}, true);
        assert_int_equal(at, len);
        assert_int_equal(out.len, expected_len);
        assert_memory_equal(buf_text(&out), expected, expected_len);
        bool clean = expected_len == len && memcmp(bytes, expected, len) == 0;
        assert_int_equal(utf8_valid((struct slice){(char *)bytes, len}), clean);
    }
}

static void each_maximal_subpart_is_one_replacement(void **state)
{
    (void)state;
    static const char r[] = "\xEF\xBF\xBD";
    static const struct {
        const char *bytes;
        int replaced;
        const char *rest;
    } rows[] = {
        {"\xC0\xAF", 2, ""},
        {"\xE0\x80\x80", 3, ""},
        {"\xED\xA0\x80", 3, ""},
        {"\xF4\x90\x80\x80", 4, ""},
        {"\xE2\x82", 1, ""},
        {"\xF0\x9F\x98", 1, ""},
        {"\xF0\x9F\x98zz", 1, "zz"},
        {"\xE2\x82\xE2\x82\xAC", 1, "\xE2\x82\xAC"},
        {"\xFF", 1, ""},
        {"\x80", 1, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        auto_buf struct buf out;
        auto_buf struct buf expected;
        buf_init(&out, 100);
        buf_init(&expected, 100);
        for (int times = 0; times < rows[i].replaced; times++)
            buf_add_text(&expected, r);
        buf_add_text(&expected, rows[i].rest);
        utf8_append_clean(&out, slice_of(rows[i].bytes), true);
        assert_string_equal(buf_text(&out), buf_text(&expected));
    }
}

static void an_unfinished_character_waits_for_its_rest(void **state)
{
    (void)state;
    auto_buf struct buf out;
    buf_init(&out, 100);
    assert_int_equal(utf8_append_clean(&out, slice_of("ab\xE2\x82"), false), 2);
    assert_string_equal(buf_text(&out), "ab");
    assert_int_equal(utf8_append_clean(&out, slice_of("\xE2\x82"), true), 2);
    assert_string_equal(buf_text(&out), "ab\xEF\xBF\xBD");
    assert_true(utf8_valid((struct slice){NULL, 0}));
    assert_int_equal(utf8_append_clean(&out, (struct slice){NULL, 0}, true), 0);
}

static void foreign_text_fits_into_a_sentence(void **state)
{
    (void)state;
    char text[12];
    static const char *const rows[][2] = {
        {"port", "port"},
        {"a\nb\x1B[1m\x7F", "a?b?[1m?"},
        {"\xC2\x80\xC2\x9B\xC2\xA0", "??\xC2\xA0"}, /* also those beyond ASCII */
        {"\xFFtext\xE2\x82", "?text?"},
        {"\xE2\x82\xAC", "\xE2\x82\xAC"},
        {"12345678", "12345678"},
        {"123456789", "12345678…"},
        {"123456\xE2\x82\xAC", "123456…"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(utf8_for_people(text, sizeof text, slice_of(rows[i][0])), rows[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sequence_of_up_to_three_bytes_agrees_with_the_reference),
        cmocka_unit_test(every_code_point_is_valid_but_for_surrogates),
        cmocka_unit_test(cleaning_agrees_with_the_reference_however_it_is_cut),
        cmocka_unit_test(each_maximal_subpart_is_one_replacement),
        cmocka_unit_test(an_unfinished_character_waits_for_its_rest),
        cmocka_unit_test(foreign_text_fits_into_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
