/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <jansson.h>
#include <regex.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "observe/log.h"

static char seen[16 * KIB];
static int lines;

static void keep_line(const char *line, unsigned long len)
{
    lines++;
    assert_true(len < sizeof seen);
    memcpy(seen, line, len);
    seen[len] = '\0';
}

static int set_up(void **state)
{
    (void)state;
    seen[0] = '\0';
    lines = 0;
    log_set_sink(keep_line);
    log_set_level(LOG_INFO);
    return 0;
}

/* The line as a tree; it must be JSON, one line, and within its size. */
static json_t *parse_line(void)
{
    assert_int_equal(lines, 1);
    size_t len = strlen(seen);
    assert_true(len <= 4 * KIB);
    assert_ptr_equal(strchr(seen, '\n'), seen + len - 1);
    json_t *line = json_loadb(seen, len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(line);
    return line;
}

static const char *text_of(const json_t *line, const char *key)
{
    return json_string_value(json_object_get(line, key));
}

static void an_event_is_one_line_in_order(void **state)
{
    (void)state;
    log_event(LOG_WARN, "run_finished", LOG_TEXT("run", "a1"), LOG_U64("wall_ms", UINT64_MAX),
              LOG_I64("exit", -1), LOG_TEXT("reason", NULL), LOG_END);
    assert_int_equal(lines, 1);
    regex_t shape;
    assert_int_equal(
        regcomp(&shape,
                "^\\{\"time\":\"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\."
                "[0-9]{3}Z\",\"level\":\"warn\",\"event\":\"run_finished\",\"run\":\"a1\","
                "\"wall_ms\":18446744073709551615,\"exit\":-1,\"reason\":null\\}\n$",
                REG_EXTENDED | REG_NOSUB),
        0);
    int matched = regexec(&shape, seen, 0, NULL, 0);
    regfree(&shape);
    assert_int_equal(matched, 0);
}

static void time_is_utc_wherever_we_are(void **state)
{
    (void)state;
    assert_int_equal(setenv("TZ", "UTC-9", 1), 0);
    tzset();
    time_t before = time(NULL);
    log_event(LOG_INFO, "x", LOG_END);
    time_t after = time(NULL);
    assert_int_equal(unsetenv("TZ"), 0);
    tzset();
    json_t *line = parse_line();
    struct tm utc = {0};
    assert_non_null(strptime(text_of(line, "time"), "%Y-%m-%dT%H:%M:%S", &utc));
    assert_in_range(timegm(&utc), before, after);
    json_decref(line);
}

static void foreign_text_cannot_make_a_second_line(void **state)
{
    (void)state;
    log_event(LOG_INFO, "x", LOG_TEXT("path", "/a\n{\"level\":\"error\"}\r\n\x1B[2J\xFF\"\\"),
              LOG_END);
    json_t *line = parse_line();
    assert_string_equal(text_of(line, "path"),
                        "/a\n{\"level\":\"error\"}\r\n\x1B[2J\xEF\xBF\xBD\"\\");
    json_decref(line);
}

static void what_is_too_long_is_shortened_and_still_json(void **state)
{
    (void)state;
    static const char *const units[] = {"x", "\n", "\x01", "\xC3\xA9", "\xF0\x9F\x98\x80", "\xFF"};
    static char text[40000];
    for (size_t unit = 0; unit < ARRAY_LEN(units); unit++) {
        size_t unit_len = strlen(units[unit]);
        for (size_t len = 800; len + 8 < sizeof text; len += len / 7) {
            size_t used = 0;
            while (used + unit_len <= len) {
                memcpy(text + used, units[unit], unit_len);
                used += unit_len;
            }
            text[used] = '\0';
            lines = 0;
            log_event(LOG_INFO, "x", LOG_TEXT("first", text), LOG_U64("number", 7),
                      LOG_TEXT("second", text), LOG_TEXT("last", "end"), LOG_END);
            json_t *line = parse_line();
            const char *first = text_of(line, "first");
            bool whole = first && text_of(line, "second") &&
                         strlen(first) == strlen(text_of(line, "second")) &&
                         (*units[unit] == '\xFF' || strlen(first) == used);
            assert_true(whole || json_is_true(json_object_get(line, "truncated")));
            assert_true(len < 35000 || !whole);
            assert_true(!first || *units[unit] == '\xFF' || !strstr(first, "\xEF\xBF\xBD"));
            json_decref(line);
        }
    }
}

static void a_line_is_filled_to_its_last_byte(void **state)
{
    (void)state;
    static char text[5000];
    memset(text, 'x', sizeof text - 1);
    size_t longest = 0;
    for (size_t len = sizeof text - 1; len > 3000; len--) {
        text[len] = '\0';
        lines = 0;
        log_event(LOG_INFO, "x", LOG_TEXT("t", text), LOG_END);
        json_t *line = parse_line();
        if (!json_object_get(line, "truncated"))
            longest = MAX(longest, strlen(seen));
        json_decref(line);
    }
    assert_in_range(longest, 4 * KIB - 20, 4 * KIB);
}

static void levels_above_the_set_one_are_silent(void **state)
{
    (void)state;
    log_event(LOG_DEBUG, "x", LOG_END);
    assert_int_equal(lines, 0);
    log_set_level(LOG_ERROR);
    log_event(LOG_WARN, "x", LOG_END);
    assert_int_equal(lines, 0);
    log_event(LOG_ERROR, "x", LOG_END);
    assert_int_equal(lines, 1);
    log_set_level(LOG_DEBUG);
    log_event(LOG_DEBUG, "x", LOG_END);
    assert_int_equal(lines, 2);
    log_set_sink(NULL);
    log_event(LOG_ERROR, "x", LOG_END);
    assert_int_equal(lines, 2);
}

static void levels_have_names(void **state)
{
    (void)state;
    static const char *const names[] = {"error", "warn", "info", "debug"};
    enum log_level level = LOG_LEVEL_COUNT;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(log_level_parse(names[i], &level), 0);
        assert_int_equal(level, i);
    }
    assert_int_equal(log_level_parse("Info", &level), -EINVAL);
    assert_int_equal(log_level_parse("", &level), -EINVAL);
    assert_int_equal(level, LOG_DEBUG);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_event_is_one_line_in_order),
        TEST(time_is_utc_wherever_we_are),
        TEST(foreign_text_cannot_make_a_second_line),
        TEST(what_is_too_long_is_shortened_and_still_json),
        TEST(a_line_is_filled_to_its_last_byte),
        TEST(levels_above_the_set_one_are_silent),
        TEST(levels_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
