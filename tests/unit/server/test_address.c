/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <netinet/in.h>
#include <string.h>

#include "base/util.h"
#include "server/address.h"

static struct address parsed(const char *text)
{
    struct address address;
    assert_int_equal(address_parse(slice_of(text), &address), 0);
    return address;
}

static void addresses_are_read_and_written_in_one_form(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"127.0.0.1", "127.0.0.1"},
        {"::ffff:10.1.2.3", "10.1.2.3"},
        {"::1", "::1"},
        {"2001:DB8:0:0::1", "2001:db8::1"},
        {"0.0.0.0", "0.0.0.0"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct address address = parsed(rows[i][0]);
        char text[ADDRESS_TEXT_SIZE];
        assert_string_equal(address_format(&address, text), rows[i][1]);
    }
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {"",         "1",     "1.2.3",    "1.2.3.4.5", "256.0.0.1",
                                       "01.2.3.4", ":::",   "[::1]",    "::1%lo",    "1.2.3.4 ",
                                       " 1.2.3.4", "::1/8", "localhost"};
    struct address address;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_true(address_parse(slice_of(rows[i]), &address) < 0);
    assert_true(address_parse((struct slice){"1.2.3.4\0x", 9}, &address) < 0);
    char longer[ADDRESS_TEXT_SIZE + 1];
    memset(longer, '1', sizeof longer);
    assert_true(address_parse((struct slice){longer, sizeof longer}, &address) < 0);
}

static void forwarded_addresses_may_have_ports(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"10.1.2.3:80", "10.1.2.3"}, {"[::2]:80", "::2"}, {"[::2]", "::2"}, {"::2", "::2"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct address address;
        char text[ADDRESS_TEXT_SIZE];
        assert_int_equal(address_parse_forwarded(slice_of(rows[i][0]), &address), 0);
        assert_string_equal(address_format(&address, text), rows[i][1]);
    }
    struct address address;
    assert_true(address_parse_forwarded(slice_of("[::2"), &address) < 0);
    assert_true(address_parse_forwarded(slice_of(""), &address) < 0);
}

static void loopback_is_127_slash_8_and_colon_colon_1(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool loopback;
    } rows[] = {{"127.0.0.1", true},  {"127.255.0.9", true},       {"::1", true},
                {"126.0.0.1", false}, {"::ffff:127.0.0.1", true},  {"::2", false},
                {"0.0.0.0", false},   {"::ffff:128.0.0.1", false}, {"::127.0.0.1", false}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct address address = parsed(rows[i].text);
        assert_int_equal(address_is_loopback(&address), rows[i].loopback);
    }
}

static void networks_hold_what_shares_their_bits(void **state)
{
    (void)state;
    static const struct {
        const char *network;
        const char *address;
        bool inside;
    } rows[] = {
        {"10.0.0.0/8", "10.255.1.2", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"192.168.1.64/26", "192.168.1.127", true},
        {"192.168.1.64/26", "192.168.1.128", false},
        {"0.0.0.0/0", "1.2.3.4", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "1.2.3.4", true},
        {"10.1.2.3", "10.1.2.3", true},
        {"10.1.2.3", "10.1.2.2", false},
        {"10.1.2.3/32", "10.1.2.3", true},
        {"fd00::/7", "fc12::1", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"::1/128", "::1", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct network network;
        struct address address = parsed(rows[i].address);
        assert_int_equal(network_parse(rows[i].network, &network), 0);
        assert_int_equal(network_contains(&network, &address), rows[i].inside);
    }
}

static void what_is_no_network_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {"",       "/8",  "10.0.0.0/33", "10.0.0.0/-1", "::/129",
                                       "10.0/8", "::/", "10.0.0.0/8x", "10.0.0.0/ 8", "proxy"};
    struct network network;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_true(network_parse(rows[i], &network) < 0);
}

static void socket_addresses_are_taken_over(void **state)
{
    (void)state;
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0A010203)};
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr other = {.sa_family = AF_UNIX};
    struct address address;
    char text[ADDRESS_TEXT_SIZE];
    assert_true(address_from_socket((struct sockaddr *)&ipv4, &address));
    assert_string_equal(address_format(&address, text), "10.1.2.3");
    assert_true(address_from_socket((struct sockaddr *)&ipv6, &address));
    assert_string_equal(address_format(&address, text), "::1");
    assert_false(address_from_socket(&other, &address));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_and_written_in_one_form),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(forwarded_addresses_may_have_ports),
        cmocka_unit_test(loopback_is_127_slash_8_and_colon_colon_1),
        cmocka_unit_test(networks_hold_what_shares_their_bits),
        cmocka_unit_test(what_is_no_network_is_refused),
        cmocka_unit_test(socket_addresses_are_taken_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
