/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "base/util.h"
#include "webhook/webhook_private.h"
#include "webhook_fixture.h"

static bool admits(const struct webhook_networks *networks, const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return webhook_networks_admit(networks, (const struct sockaddr *)&v4);
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return webhook_networks_admit(networks, (const struct sockaddr *)&v6);
}

static const char *const refused[] = {
    "0.0.0.0",
    "0.255.255.255",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.1.2.3",
    "::ffff:169.254.169.254",
    "::ffff:0:7f00:1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::8.8.8.8",
    "2002:7f00:1::",
    "2002:c0a8:101::1",
    "2002:a9fe:a9fe::",
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "3fff::1",
    "3fff:fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "feff::1",
    "ff02::1",
    "ff0e::1",
};

static const char *const public[] = {
    "8.8.8.8",          "1.0.0.1",
    "9.255.255.255",    "11.0.0.0",
    "100.63.255.255",   "100.128.0.0",
    "126.255.255.255",  "128.0.0.1",
    "169.253.1.1",      "172.15.255.255",
    "172.32.0.0",       "192.0.1.1",
    "192.167.1.1",      "192.169.0.1",
    "198.17.255.255",   "198.20.0.0",
    "223.255.255.255",  "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8", "2002:808:808::1",
    "2001:200::1",      "2001:4860:4860::8888",
    "2606:4700::1111",  "2a00::1",
    "3ffe:ffff::1",
};

static void only_public_addresses_are_called(void **state)
{
    (void)state;
    struct webhook_networks networks;
    assert_int_equal(webhook_networks_init(&networks, NULL, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        if (admits(&networks, refused[i]))
            fail_msg("%s would be called", refused[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(public); i++) {
        if (!admits(&networks, public[i]))
            fail_msg("%s would not be called", public[i]);
    }
    webhook_networks_fini(&networks);
}

static void what_an_operator_allows_is_called_and_no_more(void **state)
{
    (void)state;
    static const char *const allowed[] = {"10.1.0.0/16", "fd00:1::/32", "192.168.3.4", NULL};
    static const struct {
        const char *address;
        bool admitted;
    } rows[] = {
        {"10.1.0.0", true},           {"10.1.255.255", true}, {"10.0.255.255", false},
        {"10.2.0.0", false},          {"fd00:1::5", true},    {"fd00:2::5", false},
        {"192.168.3.4", true},        {"192.168.3.5", false}, {"::ffff:10.1.2.3", true},
        {"64:ff9b::10.1.2.3", false}, {"127.0.0.1", false},   {"8.8.8.8", true},
    };
    struct webhook_networks networks;
    assert_int_equal(webhook_networks_init(&networks, allowed, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (admits(&networks, rows[i].address) != rows[i].admitted)
            fail_msg("%s", rows[i].address);
    }
    webhook_networks_fini(&networks);
}

static void a_socket_file_is_no_address(void **state)
{
    (void)state;
    static const char *const allowed[] = {"0.0.0.0/0", "::/0", NULL};
    const struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/run/docker.sock"};
    struct webhook_networks networks;
    assert_int_equal(webhook_networks_init(&networks, allowed, NULL), 0);
    assert_false(webhook_networks_admit(&networks, (const struct sockaddr *)&local));
    assert_true(admits(&networks, "127.0.0.1"));
    webhook_networks_fini(&networks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_public_addresses_are_called),
        cmocka_unit_test(what_an_operator_allows_is_called_and_no_more),
        cmocka_unit_test(a_socket_file_is_no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
