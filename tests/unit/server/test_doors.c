/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "base/util.h"
#include "server/doors.h"
#include "server/http.h"

static const char *const names[] = {"code.example.com", "other", NULL};
static const char *const origins[] = {"https://app.example.com", "http://app.example.com:81", NULL};
static const char *const proxies[] = {"10.0.0.0/8", "2001:db8::/32", NULL};

static const struct doors open_doors = {names, origins, NULL, 0};

static void host_is_a_loopback_name_or_ours(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool on_loopback;
        bool elsewhere;
    } rows[] = {
        {"localhost", true, true},
        {"LOCALHOST:80", true, true},
        {"127.0.0.1:65535", true, true},
        {"[::1]:80", true, true},
        {"code.example.com", true, true},
        {"Other:1", true, true},
        {"192.0.2.1", false, true},
        {"[2001:db8::1]:80", false, true},
        {"127.0.0.2", false, true},
        {"", false, false},
        {":80", false, false},
        {"localhost:", false, false},
        {"localhost.", false, false},
        {"localhost:80:80", false, false},
        {"a localhost", false, false},
        {"[::1", false, false},
        {"[::1]80", false, false},
        {"[localhost]", false, false},
        {"evil.example", false, false},
        {"code.example.com.evil", false, false},
        {"::1", false, false},
        {"[]", false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(doors_host_allowed(&open_doors, rows[i].host, true), rows[i].on_loopback);
        assert_int_equal(doors_host_allowed(&open_doors, rows[i].host, false), rows[i].elsewhere);
    }
}

static void origin_is_ours_loopback_or_listed(void **state)
{
    (void)state;
    static const struct {
        const char *origin;
        const char *scheme;
        const char *host;
        enum origin expected;
    } rows[] = {
        {NULL, "http", "code.example.com", ORIGIN_NONE},
        {"http://code.example.com", "http", "code.example.com", ORIGIN_ALLOWED},
        {"http://code.example.com", "https", "code.example.com", ORIGIN_FOREIGN},
        {"https://code.example.com", "https", "Code.example.com", ORIGIN_ALLOWED},
        {"http://code.example.com:80", "http", "code.example.com", ORIGIN_FOREIGN},
        {"http://code.example.com", "http", NULL, ORIGIN_FOREIGN},
        {"http://localhost:5500", "https", NULL, ORIGIN_ALLOWED},
        {"https://[::1]", "http", "x", ORIGIN_ALLOWED},
        {"https://app.example.com", "http", "x", ORIGIN_ALLOWED},
        {"https://app.example.com:81", "http", "x", ORIGIN_FOREIGN},
        {"http://app.example.com:81", "http", "x", ORIGIN_ALLOWED},
        {"https://app.example.com.evil", "http", "x", ORIGIN_FOREIGN},
        {"null", "http", "null", ORIGIN_FOREIGN},
        {"", "http", "", ORIGIN_FOREIGN},
        {"http://", "http", "", ORIGIN_ALLOWED}, /* an empty Host never gets so far */
        {"ftp://localhost", "http", "x", ORIGIN_FOREIGN},
        {"http://localhost/path", "http", "x", ORIGIN_FOREIGN},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(doors_origin(&open_doors, rows[i].origin, rows[i].scheme, rows[i].host),
                         rows[i].expected);
}

static void client_is_the_nearest_that_is_no_proxy(void **state)
{
    (void)state;
    static const struct {
        const char *peer;
        const char *forwarded;
        const char *client;
    } rows[] = {
        {"192.0.2.1", "1.1.1.1", "192.0.2.1"},
        {"10.0.0.1", "", "10.0.0.1"},
        {"10.0.0.1", "1.1.1.1", "1.1.1.1"},
        {"10.0.0.1", "127.0.0.1,1.1.1.1", "1.1.1.1"},
        {"10.0.0.1", " 2.2.2.2 ,\t10.9.9.9 ", "2.2.2.2"},
        {"2001:db8::5", "::1, 2001:db8::6", "::1"},
        {"10.0.0.1", "x", "10.0.0.1"},
        {"10.0.0.1", "1.1.1.1, x, 10.0.0.2", "10.0.0.2"},
        {"10.0.0.1", ",", "10.0.0.1"},
    };
    const struct http_config config = {.trusted_proxies = proxies};
    struct doors doors;
    assert_int_equal(doors_init(&doors, &config, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct address peer;
        char text[ADDRESS_TEXT_SIZE];
        assert_int_equal(address_parse(slice_of(rows[i].peer), &peer), 0);
        struct address client = doors_client(&doors, &peer, slice_of(rows[i].forwarded));
        assert_string_equal(address_format(&client, text), rows[i].client);
    }
    doors_fini(&doors);
}

static void bad_configuration_is_named(void **state)
{
    (void)state;
    static const char *const rows[] = {"*",          "app.example.com",      "ftp://x",
                                       "https://x/", "https://x/page",       "https://",
                                       "null",       "https://*.example.com"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *const list[] = {"https://fine", rows[i], NULL};
        const struct http_config config = {.cors_origins = list};
        struct doors doors;
        struct err err;
        assert_int_equal(doors_init(&doors, &config, &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_non_null(strstr(err.text, rows[i]));
    }
    static const char *const no_names[] = {"https://code.example.com", "code.example.com:443",
                                           "*.example.com", "a b"};
    for (size_t i = 0; i < ARRAY_LEN(no_names); i++) {
        const char *const list[] = {"code.example.com", "[2001:db8::1]", no_names[i], NULL};
        const struct http_config config = {.server_names = list};
        struct doors doors;
        struct err err;
        assert_int_equal(doors_init(&doors, &config, &err), -1);
        assert_string_equal(err.field, "server_names");
        assert_non_null(strstr(err.text, no_names[i]));
    }
    const char *const list[] = {"10.0.0.0/8", "proxy.local", NULL};
    const struct http_config config = {.trusted_proxies = list};
    struct doors doors;
    struct err err;
    assert_int_equal(doors_init(&doors, &config, &err), -1);
    assert_string_equal(
        err.text,
        "trusted_proxies: 'proxy.local' is neither an address nor a network: write 192.0.2.1 "
        "or 10.0.0.0/8 (names are not looked up)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_is_a_loopback_name_or_ours),
        cmocka_unit_test(origin_is_ours_loopback_or_listed),
        cmocka_unit_test(client_is_the_nearest_that_is_no_proxy),
        cmocka_unit_test(bad_configuration_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
