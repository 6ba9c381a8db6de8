/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "broker/redis_private.h"
#include "fake_redis.h"

static void an_address_is_taken_apart(void **state)
{
    static const struct {
        const char *url;
        struct place expected;
    } rows[] = {
        {"redis://host", {"", "", "host", "6379", ""}},
        {"redis://host/", {"", "", "host", "6379", ""}},
        {"redis://host:1/15", {"", "", "host", "1", "15"}},
        {"redis://127.0.0.1:65535", {"", "", "127.0.0.1", "65535", ""}},
        {"redis://[::1]", {"", "", "::1", "6379", ""}},
        {"redis://[fe80::1]:7/0", {"", "", "fe80::1", "7", "0"}},
        {"redis://:secret@host", {"", "secret", "host", "6379", ""}},
        {"redis://me:secret@host:7/1", {"me", "secret", "host", "7", "1"}},
        {"redis://m%65:%2f%40%3A%25@host", {"me", "/@:%", "host", "6379", ""}},
        {"redis://me:a@b:c@host", {"me", "a@b:c", "host", "6379", ""}},
        {"redis://:@host", {"", "", "host", "6379", ""}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct place url;
        struct err err = {0};
        if (redis_url_parse(rows[i].url, &url, &err) < 0)
            fail_msg("%s: %s", rows[i].url, err.text);
        assert_string_equal(url.host, rows[i].expected.host);
        assert_string_equal(url.port, rows[i].expected.port);
        assert_string_equal(url.user, rows[i].expected.user);
        assert_string_equal(url.password, rows[i].expected.password);
        assert_string_equal(url.path, rows[i].expected.path);
        assert_int_equal(redis_check_url(rows[i].url, NULL), 0);
    }
}

static void what_is_none_is_refused_without_being_repeated(void **state)
{
    static const char *const rows[] = {
        "",
        "host",
        "redis:",
        "http://host-secret",
        "rediss://secret@host",
        "redis://",
        "redis:///1",
        "redis://:secret@",
        "redis://secret@host",
        "redis://secret:@host",
        "redis://host:0",
        "redis://host:07",
        "redis://host:65536",
        "redis://host:secret",
        "redis://host:",
        "redis://host/secret",
        "redis://host/-1",
        "redis://host/1/2",
        "redis://host/99999999",
        "redis://host?db=1",
        "redis://host#secret",
        "redis://[::1",
        "redis://[::1]secret",
        "redis://[]",
        "redis://:secret%@host",
        "redis://:secret%4@host",
        "redis://:secret%4g@host",
        "redis://:secret%00@host",
        "redis://:se cret@host",
        "redis://:se\ncret@host",
        "redis://:s\xc3\xa9@host",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {0};
        if (redis_check_url(rows[i], &err) == 0)
            fail_msg("%s is taken", rows[i]);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_null(strstr(err.text, "secret"));
        assert_non_null(strstr(err.text, "the address of Redis "));
    }
}

static void what_is_too_long_is_refused(void **state)
{
    static const char *const forms[] = {"redis://%s", "redis://:%s@host", "redis://%s:pw@host",
                                        "redis://host:%s", "redis://host/%s"};
    char longer[600];
    char url[700];
    (void)state;
    memset(longer, '1', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        const char *mark = strstr(forms[i], "%s");
        struct err err;
        (void)snprintf(url, sizeof url, "%.*s%s%s", (int)(mark - forms[i]), forms[i], longer,
                       mark + 2);
        assert_int_equal(redis_check_url(url, &err), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_taken_apart),
        cmocka_unit_test(what_is_none_is_refused_without_being_repeated),
        cmocka_unit_test(what_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
