/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "cli/listeners.h"

static const char *const dialects[] = {"execute", NULL};

static int read_listeners(const char *listen, bool insecure, struct listeners *listeners,
                          struct err *err)
{
    struct config config;
    (void)config_init(&config, NULL);
    config.insecure_public = insecure;
    if (listen)
        assert_int_equal(config_set(&config, "listen", listen, "test", err), 0);
    int rc = listeners_read(&config, dialects, false, listeners, err);
    config_fini(&config);
    return rc;
}

static void an_address_is_read_with_its_dialect(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *address;
        uint16_t port;
        const char *dialect;
    } rows[] = {
        {"127.0.0.1:8080", "127.0.0.1", 8080, NULL},
        {"127.8.9.1:1", "127.8.9.1", 1, NULL},
        {"[::1]:3000=execute", "::1", 3000, "execute"},
        {"localhost:0", "127.0.0.1", 0, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct listeners listeners;
        assert_int_equal(read_listeners(rows[i].text, false, &listeners, NULL), 0);
        assert_int_equal(listeners.count, 1);
        assert_string_equal(listeners.items[0].address, rows[i].address);
        assert_int_equal(listeners.items[0].port, rows[i].port);
        if (rows[i].dialect)
            assert_string_equal(listeners.items[0].dialect, rows[i].dialect);
        else
            assert_null(listeners.items[0].dialect);
    }
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "8080",         ":8080",   "127.0.0.1",       "127.0.0.1:",      "127.0.0.1:65536",
        "127.0.0.1:-1", "::1:80",  "[::1]",           "example.org:80",  "127.0.0.1:80x",
        "[127.0.0.1:1", "[::1:80", "127.0.0.1:80=so", "127.1:80=execute"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct listeners listeners;
        struct err err = {0};
        assert_int_equal(read_listeners(wrong[i], true, &listeners, &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_non_null(strstr(err.text, wrong[i]));
    }
}

static void a_public_address_must_be_wanted(void **state)
{
    (void)state;
    static const char *const public[] = {"0.0.0.0:80", "[::]:80", "192.0.2.1:80",
                                         "[::ffff:127.0.0.1]:80"};
    for (size_t i = 0; i < ARRAY_LEN(public); i++) {
        struct listeners listeners;
        struct err err = {0};
        assert_int_equal(read_listeners(public[i], false, &listeners, &err), -1);
        assert_non_null(strstr(err.text, "--insecure-public"));
        assert_int_equal(read_listeners(public[i], true, &listeners, NULL), 0);
    }
}

static void a_public_address_may_be_served_to_those_with_keys(void **state)
{
    (void)state;
    struct config config;
    struct listeners listeners;
    (void)config_init(&config, NULL);
    assert_int_equal(config_set(&config, "listen", "0.0.0.0:80", "test", NULL), 0);
    assert_int_equal(listeners_read(&config, dialects, true, &listeners, NULL), 0);
    config_fini(&config);
}

static void without_a_word_it_is_loopback_at_the_port(void **state)
{
    (void)state;
    struct listeners listeners;
    assert_int_equal(read_listeners(NULL, false, &listeners, NULL), 0);
    assert_string_equal(listeners.items[0].address, "127.0.0.1");
    assert_int_equal(listeners.items[0].port, 8080);
    assert_int_equal(listeners.count, listeners.no_ipv6 ? 1 : 2);
}

static void compat_opens_the_ports_of_both_services(void **state)
{
    (void)state;
    struct config config;
    struct listeners listeners;
    (void)config_init(&config, NULL);
    assert_int_equal(config_set(&config, "compat", NULL, "test", NULL), 0);
    assert_int_equal(config_set(&config, "listen", "127.0.0.1:9", "test", NULL), 0);
    assert_int_equal(listeners_read(&config, dialects, false, &listeners, NULL), 0);
    size_t step = listeners.no_ipv6 ? 1 : 2;
    assert_int_equal(listeners.count, 1 + 2 * step);
    assert_int_equal(listeners.items[0].port, 9);
    assert_int_equal(listeners.items[1].port, 3000);
    assert_string_equal(listeners.items[1].dialect, "execute");
    assert_int_equal(listeners.items[1 + step].port, 3001);
    assert_string_equal(listeners.items[1 + step].dialect, "jobs");
    config_fini(&config);
}

static void addresses_are_bounded(void **state)
{
    (void)state;
    struct config config;
    struct listeners listeners;
    struct err err = {0};
    (void)config_init(&config, NULL);
    for (int i = 0; i < LISTENERS_MAX; i++)
        assert_int_equal(config_set(&config, "listen", "127.0.0.1:0", "test", NULL), 0);
    assert_int_equal(listeners_read(&config, dialects, false, &listeners, NULL), 0);
    assert_int_equal(listeners.count, LISTENERS_MAX);
    assert_int_equal(config_set(&config, "listen", "127.0.0.1:0", "test", NULL), 0);
    assert_int_equal(listeners_read(&config, dialects, false, &listeners, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    config_fini(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_read_with_its_dialect),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(a_public_address_must_be_wanted),
        cmocka_unit_test(a_public_address_may_be_served_to_those_with_keys),
        cmocka_unit_test(without_a_word_it_is_loopback_at_the_port),
        cmocka_unit_test(compat_opens_the_ports_of_both_services),
        cmocka_unit_test(addresses_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
