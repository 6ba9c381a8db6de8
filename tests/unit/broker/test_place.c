/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "broker/amqp.h"
#include "broker/place.h"

static const struct place_form form = {"the broker", "broker", "amqp", "5672"};

static void addresses_are_taken_apart(void **state)
{
    static const struct {
        const char *text;
        struct place is;
    } rows[] = {
        {"amqp://h", {.host = "h", .port = "5672"}},
        {"amqp://h/", {.host = "h", .port = "5672"}},
        {"amqp://h:1", {.host = "h", .port = "1"}},
        {"amqp://u:p@h:65535/v", {"u", "p", "h", "65535", "v"}},
        {"amqp://u:@h", {.user = "u", .host = "h", .port = "5672"}},
        {"amqp://u:p%40%3a%2F@h/%2f", {"u", "p@:/", "h", "5672", "/"}},
        {"amqp://u:p@ss@h", {"u", "p@ss", "h", "5672", ""}},
        {"amqp://u:p:q@h/a/b", {"u", "p:q", "h", "5672", "a/b"}},
        {"amqp://[::1]", {.host = "::1", .port = "5672"}},
        {"amqp://u:p@[::1]:7/v", {"u", "p", "::1", "7", "v"}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct place address;
        struct err err;
        if (place_parse(rows[i].text, &form, &address, &err) < 0)
            fail_msg("%s: %s", rows[i].text, err.text);
        assert_string_equal(address.user, rows[i].is.user);
        assert_string_equal(address.password, rows[i].is.password);
        assert_string_equal(address.host, rows[i].is.host);
        assert_string_equal(address.port, rows[i].is.port);
        assert_string_equal(address.path, rows[i].is.path);
    }
}

static void what_is_no_address_is_refused_without_its_password(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } rows[] = {
        {"", "does not begin"},
        {"h:5672", "does not begin"},
        {"amqps://u:secret@h", "TLS is not spoken"},
        {"redis://u:secret@h", "does not begin"},
        {"amqp:/h", "does not begin"},
        {"amqp://", "has no host"},
        {"amqp://u:secret@", "has no host"},
        {"amqp://u:secret@:5672", "has no host"},
        {"amqp://secret@h", "a user without a password"},
        {"amqp://u:secret@h:", "has a port"},
        {"amqp://u:secret@h:0", "has a port"},
        {"amqp://u:secret@h:05672", "has a port"},
        {"amqp://u:secret@h:65536", "has a port"},
        {"amqp://u:secret@h:567x", "has a port"},
        {"amqp://u:secret@h:-1", "has a port"},
        {"amqp://u:secret@h:5672:5673", "has a port"},
        {"amqp://u:secret@[::1", "has a bracket"},
        {"amqp://u:secret@[::1]5672", "has a bracket"},
        {"amqp://u:secret%@h", "has a password"},
        {"amqp://u:secret%4@h", "has a password"},
        {"amqp://u:secret%zz@h", "has a password"},
        {"amqp://u:secret%00@h", "has a password"},
        {"amqp://%:secret@h", "has a user"},
        {"amqp://u:secret@h/%", "has a path"},
        {"amqp://u:secret@h/v?heartbeat=5", "percent-encoded"},
        {"amqp://u:se cret@h", "percent-encoded"},
        {"amqp://u:secret@h/\n", "percent-encoded"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {0};
        assert_int_equal(amqp_check_url(rows[i].text, &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        if (!strstr(err.text, rows[i].why) || strstr(err.text, "secret"))
            fail_msg("%s: %s", rows[i].text, err.text);
    }
}

static void what_is_too_long_is_refused(void **state)
{
    static const struct {
        const char *before;
        const char *behind;
    } rows[] = {{"amqp://", ":p@h"}, {"amqp://u:", "@h"}, {"amqp://", ""}, {"amqp://h/", ""}};
    char long_text[600];
    (void)state;
    memset(long_text, 'a', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char url[700];
        struct err err;
        int len = snprintf(url, sizeof url, "%s%s%s", rows[i].before, long_text, rows[i].behind);
        assert_in_range(len, 600, sizeof url - 1);
        assert_int_equal(amqp_check_url(url, &err), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_taken_apart),
        cmocka_unit_test(what_is_no_address_is_refused_without_its_password),
        cmocka_unit_test(what_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
