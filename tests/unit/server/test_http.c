/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "loop/loop.h"
#include "server/http.h"

static struct http_server *server_on(struct loop *loop, const char *address, uint16_t port,
                                     struct err *err)
{
    static struct http_listener listener;
    listener = (struct http_listener){address, port, NULL};
    const struct http_config config = {.listeners = &listener, .listener_count = 1};
    struct http_server *server = http_server_new(loop, &config, err);
    if (server && http_server_start(server, err) < 0) {
        http_server_free(server);
        return NULL;
    }
    return server;
}

static void taken_port_is_named(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct err err;
    struct http_server *server = server_on(loop, "127.0.0.1", 0, &err);
    assert_non_null(server);
    uint16_t port = http_server_port(server, 0);
    assert_null(server_on(loop, "127.0.0.1", port, &err));
    char expected[128];
    (void)snprintf(expected, sizeof expected,
                   "cannot listen on 127.0.0.1:%u: Address already in use", (unsigned)port);
    assert_string_equal(err.text, expected);
    assert_int_equal(err.code, ERR_ADDRESS);
    http_server_free(server);
    loop_free(loop);
}

static void what_is_no_address_of_ours_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        const char *text;
        enum err_code code;
    } rows[] = {
        {"192.0.2.1", "cannot listen on 192.0.2.1:1: Cannot assign requested address", ERR_ADDRESS},
        {"2001:db8::1", "cannot listen on [2001:db8::1]:1: Cannot assign requested address",
         ERR_ADDRESS},
        {"localhost", "cannot listen on 'localhost': not an address", ERR_CONFIG},
        {"", "cannot listen on '': not an address", ERR_CONFIG},
        {"an address that is longer than any address can be, by far",
         "cannot listen on 'an address that is longer than any address can be, by far': not an "
         "address",
         ERR_CONFIG},
    };
    struct loop *loop = loop_new();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err;
        assert_null(server_on(loop, rows[i].address, 1, &err));
        assert_string_equal(err.text, rows[i].text);
        assert_int_equal(err.code, rows[i].code);
    }
    loop_free(loop);
}

static void ipv4_and_ipv6_share_a_port(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct err err;
    struct http_server *ipv6 = NULL;
    struct http_server *ipv4 = NULL;
    /* A port that is free for IPv6 may be somebody else's for IPv4. */
    for (int tries = 0; !ipv4 && tries < 20; tries++) {
        http_server_free(ipv6);
        ipv6 = server_on(loop, "::", 0, &err);
        assert_non_null(ipv6);
        ipv4 = server_on(loop, "0.0.0.0", http_server_port(ipv6, 0), &err);
    }
    assert_non_null(ipv4);
    http_server_free(ipv6);
    http_server_free(ipv4);
    http_server_free(NULL);
    loop_free(loop);
}

static void bad_configuration_leaves_nothing_behind(void **state)
{
    (void)state;
    static const char *const proxies[] = {"x", NULL};
    static const struct http_listener listener = {"127.0.0.1", 0, NULL};
    const struct http_config config = {
        .listeners = &listener, .listener_count = 1, .trusted_proxies = proxies};
    struct loop *loop = loop_new();
    struct err err;
    assert_null(http_server_new(loop, &config, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taken_port_is_named),
        cmocka_unit_test(what_is_no_address_of_ours_is_named),
        cmocka_unit_test(ipv4_and_ipv6_share_a_port),
        cmocka_unit_test(bad_configuration_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
