/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "webhook_fixture.h"

static void urls_that_can_be_called_are_taken(void **state)
{
    (void)state;
    static const char *const fine[] = {
        "http://example.org",
        "https://example.org/",
        "HTTPS://Example.ORG:8443/hooks/1?token=a%20b&c=d",
        "http://192.0.2.1:1/",
        "http://[2001:db8::1]",
        "http://[2001:db8::1]:65535/x",
        "http://localhost:8080",
        "http://a?b=@c",
        "http://a/@b",
        "http://a#b",
        "http://xn--bcher-kva.example/",
    };
    for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
        if (webhook_check_url(fine[i], NULL) < 0)
            fail_msg("%s was refused", fine[i]);
    }
}

static void all_others_are_refused_with_the_field(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "http",
        "http:",
        "http:/",
        "http://",
        "http:///",
        "http:///x",
        "https://",
        "//a",
        "a",
        "ftp://a",
        "file:///etc/passwd",
        "gopher://a:25/",
        "javascript:alert(1)",
        "unix:/run/x",
        "http:a",
        "http:/a",
        " http://a",
        "http://a ",
        "http://a b",
        "http://a\r\nX: y",
        "http://a\n",
        "http://a\tb",
        "http://\x7f/",
        "http://b\xc3\xbc.example/",
        "http://u@a/",
        "http://u:p@a/",
        "http://:@a/",
        "http://a@127.0.0.1",
        "http://@a",
        "http://a\\@b/",
        "http://a\\b",
        "http://a:/",
        "http://a:0/",
        "http://a:65536/",
        "http://a:80x/",
        "http://a:-1/",
        "http://a:123456",
        "http://:80/",
        "http://[::1",
        "http://[]/",
        "http://[::1]x/",
        "http://[::1]x:80/",
        "http://::1/",
        "http://a[b]/",
        "http://a/{b}",
        "http://a/\"b\"",
        "http://?a",
        "http://#a",
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct err err = {0};
        if (webhook_check_url(wrong[i], &err) == 0)
            fail_msg("%s was taken", wrong[i]);
        assert_int_equal(err.code, ERR_INVALID);
        assert_string_equal(err.field, "webhook_url");
        assert_memory_equal(err.text, "webhook_url ", 12);
    }
}

static void a_url_is_bounded(void **state)
{
    (void)state;
    char url[2050];
    memset(url, 'a', sizeof url);
    memcpy(url, "http://a/", 9);
    url[2048] = '\0';
    assert_int_equal(webhook_check_url(url, NULL), 0);
    url[2048] = 'a';
    url[2049] = '\0';
    assert_int_equal(webhook_check_url(url, NULL), -1);
    memset(url, 'a', sizeof url);
    memcpy(url, "http://", 7);
    url[7 + 255] = '\0';
    assert_int_equal(webhook_check_url(url, NULL), 0);
    url[7 + 255] = 'a';
    url[7 + 256] = '\0';
    assert_int_equal(webhook_check_url(url, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_that_can_be_called_are_taken),
        cmocka_unit_test(all_others_are_refused_with_the_field),
        cmocka_unit_test(a_url_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
