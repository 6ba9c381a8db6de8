/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"

struct row {
    const char *text;
    int rc;
    uint64_t value;
};

static void check_rows(int (*parse)(const char *, uint64_t *), const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = 4711;
        int rc = parse(rows[i].text, &value);
        uint64_t expected = rows[i].rc < 0 ? 4711 : rows[i].value; /* untouched on failure */
        if (rc != rows[i].rc || value != expected)
            fail_msg("'%s': %d and %" PRIu64, rows[i].text, rc, value);
    }
}

static void whole_numbers(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"0", 0, 0},
        {"007", 0, 7},
        {"42", 0, 42},
        {"18446744073709551615", 0, UINT64_MAX},
        {"", -EINVAL, 0},
        {"18446744073709551616", -ERANGE, 0},
        {"-1", -EINVAL, 0},
        {"99999999999999999999999", -ERANGE, 0},
        {"+1", -EINVAL, 0},
        {" 1", -EINVAL, 0},
        {"1 ", -EINVAL, 0},
        {"1.0", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
        {"1e3", -EINVAL, 0},
        {"\xD9\xA3", -EINVAL, 0},
    };
    check_rows(parse_u64, rows, ARRAY_LEN(rows));
}

static void sizes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"0", 0, 0},
        {"67108864", 0, 64 * MIB},
        {"64K", 0, 64 * KIB},
        {"64k", 0, 64 * KIB},
        {"64M", 0, 64 * MIB},
        {"64MiB", 0, 64 * MIB},
        {"64MB", 0, 64 * MIB},
        {"1G", 0, GIB},
        {"1.5G", 0, 3 * GIB / 2},
        {"12B", 0, 12},
        {"17179869183G", 0, 17179869183 * GIB},
        {"17179869184G", -ERANGE, 0},
        {"0.5", -EINVAL, 0},
        {"1.0001K", -EINVAL, 0},
        {"1.5000K", 0, 1536},
        {"K", -EINVAL, 0},
        {"1T", -EINVAL, 0},
        {"1 K", -EINVAL, 0},
        {"-1K", -EINVAL, 0},
        {"1.K", -EINVAL, 0},
        {".5K", -EINVAL, 0},
    };
    check_rows(parse_bytes, rows, ARRAY_LEN(rows));
}

static void durations(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"0", 0, 0},           {"2", 0, 2000},         {"0.5", 0, 500},
        {"1500ms", 0, 1500},   {"2s", 0, 2000},        {"1.5s", 0, 1500},
        {"0.001s", 0, 1},      {"5m", 0, 300000},      {"5min", 0, 300000},
        {"1h", 0, 3600000},    {"0.0001", -EINVAL, 0}, {"1.5ms", -EINVAL, 0},
        {"", -EINVAL, 0},      {"-1s", -EINVAL, 0},    {"1d", 0, 86400000},
        {"0.5d", 0, 43200000}, {"1w", -EINVAL, 0},     {"nan", -EINVAL, 0},
        {"1e3", -EINVAL, 0},   {"1,5", -EINVAL, 0},    {"99999999999999999h", -ERANGE, 0},
    };
    check_rows(parse_duration_ms, rows, ARRAY_LEN(rows));
}

static void thousandths(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"1", 0, 1000},        {"0.5", 0, 500},
        {"2.25", 0, 2250},     {"0.001", 0, 1},
        {"0.0010", 0, 1},      {"0.0001", -EINVAL, 0},
        {"1.", -EINVAL, 0},    {".5", -EINVAL, 0},
        {"1.5.5", -EINVAL, 0}, {"99999999999999999999", -ERANGE, 0},
    };
    check_rows(parse_milli, rows, ARRAY_LEN(rows));
}

static void switches(void **state)
{
    (void)state;
    static const char *const yes[] = {"yes", "true", "on", "1", "YES", "True"};
    static const char *const no[] = {"no", "false", "off", "0", "Off"};
    static const char *const neither[] = {"", "2", "y", "yes ", "nope", "01"};
    bool value = false;
    for (size_t i = 0; i < ARRAY_LEN(yes); i++, value = false)
        assert_true(parse_bool(yes[i], &value) == 0 && value);
    for (size_t i = 0; i < ARRAY_LEN(no); i++) {
        value = true;
        assert_true(parse_bool(no[i], &value) == 0 && !value);
    }
    for (size_t i = 0; i < ARRAY_LEN(neither); i++)
        assert_int_equal(parse_bool(neither[i], &value), -EINVAL);
}

static void formats_are_exact(void **state)
{
    (void)state;
    char text[32];
    assert_string_equal(format_bytes(text, sizeof text, 0), "0 B");
    assert_string_equal(format_bytes(text, sizeof text, 1500), "1500 B");
    assert_string_equal(format_bytes(text, sizeof text, 64 * MIB), "64 MiB");
    assert_string_equal(format_bytes(text, sizeof text, 3 * GIB / 2), "1536 MiB");
    assert_string_equal(format_bytes(text, sizeof text, UINT64_MAX), "18446744073709551615 B");
    assert_string_equal(format_duration(text, sizeof text, 0), "0 ms");
    assert_string_equal(format_duration(text, sizeof text, 1500), "1500 ms");
    assert_string_equal(format_duration(text, sizeof text, 10000), "10 s");
    assert_string_equal(format_duration(text, sizeof text, 300000), "5 min");
    assert_string_equal(format_duration(text, sizeof text, 7200000), "2 h");
    assert_string_equal(format_duration(text, sizeof text, 86400000), "24 h");
    assert_string_equal(format_duration(text, sizeof text, 30 * 86400000ULL), "30 d");
    assert_string_equal(format_duration(text, sizeof text, 36ULL * 3600000), "36 h");
}

static void a_list_is_joined_and_cut(void **state)
{
    (void)state;
    static const char *const words[] = {"one", "two", "three", NULL};
    char text[64];
    char little[9];
    assert_string_equal(format_list(text, sizeof text, words), "one, two, three");
    assert_string_equal(format_list(text, sizeof text, words + 2), "three");
    assert_string_equal(format_list(text, sizeof text, words + 3), "");
    assert_string_equal(format_list(little, sizeof little, words), "one, two");
}

static void times_are_written_and_read_alike(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t unix_ms;
    } rows[] = {
        {"1970-01-01T00:00:00.000Z", 0},
        {"2026-11-21T11:30:00.125Z", 1795260600125},
        {"2000-02-29T23:59:59.999Z", 951868799999},
    };
    static const char *const refused[] = {
        "",
        "2026-11-21",
        "2026-11-21T11:30:00",
        "2026-11-21T11:30:00.Z",
        "2026-11-21T11:30:00.1234Z",
        "2026-11-21T11:30:00Zx",
        "1969-12-31T23:59:59Z",
        "now",
    };
    char text[TIME_TEXT_SIZE];
    uint64_t unix_ms = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_string_equal(format_time(text, rows[i].unix_ms), rows[i].text);
        assert_int_equal(parse_time(rows[i].text, &unix_ms), 0);
        assert_int_equal(unix_ms, rows[i].unix_ms);
    }
    assert_int_equal(parse_time("2026-11-21T11:30:00Z", &unix_ms), 0);
    assert_int_equal(unix_ms, 1795260600000);
    assert_int_equal(parse_time("2026-11-21T11:30:00.5Z", &unix_ms), 0);
    assert_int_equal(unix_ms, 1795260600500);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        assert_true(parse_time(refused[i], &unix_ms) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(sizes),
        cmocka_unit_test(durations),
        cmocka_unit_test(thousandths),
        cmocka_unit_test(switches),
        cmocka_unit_test(formats_are_exact),
        cmocka_unit_test(a_list_is_joined_and_cut),
        cmocka_unit_test(times_are_written_and_read_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
