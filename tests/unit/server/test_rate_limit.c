/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdio.h>

#include "server/rate_limit.h"

static void limit_holds_within_a_window_and_ends_with_it(void **state)
{
    (void)state;
    struct rate_limiter *limiter = rate_limiter_new(2, 1000, 10);
    struct rate_state first = rate_limiter_take(limiter, "1.2.3.4", 5000);
    assert_true(first.allowed);
    assert_int_equal(first.limit, 2);
    assert_int_equal(first.remaining, 1);
    assert_int_equal(first.reset_ms, 1000);
    assert_true(rate_limiter_take(limiter, "1.2.3.4", 5100).allowed);
    struct rate_state over = rate_limiter_take(limiter, "1.2.3.4", 5999);
    assert_false(over.allowed);
    assert_int_equal(over.remaining, 0);
    assert_int_equal(over.reset_ms, 1);
    assert_true(rate_limiter_take(limiter, "1.2.3.5", 5999).allowed);
    assert_true(rate_limiter_take(limiter, "1.2.3.4", 6000).allowed);
    rate_limiter_free(limiter);
}

static void looking_does_not_count(void **state)
{
    (void)state;
    struct rate_limiter *limiter = rate_limiter_new(1, 1000, 10);
    for (int i = 0; i < 3; i++) {
        struct rate_state look = rate_limiter_look(limiter, "1.2.3.4", 10);
        assert_true(look.allowed);
        assert_int_equal(look.remaining, 1);
        assert_int_equal(look.reset_ms, 1000);
    }
    (void)rate_limiter_take(limiter, "1.2.3.4", 10);
    assert_int_equal(rate_limiter_look(limiter, "1.2.3.4", 11).remaining, 0);
    assert_int_equal(rate_limiter_look(limiter, "1.2.3.4", 1010).remaining, 1);
    rate_limiter_free(limiter);
}

static void addresses_of_one_ipv6_network_are_one_client(void **state)
{
    (void)state;
    struct rate_limiter *limiter = rate_limiter_new(1, 1000, 10);
    assert_true(rate_limiter_take(limiter, "2001:db8::1", 0).allowed);
    assert_false(rate_limiter_take(limiter, "2001:db8::ffff:1", 0).allowed);
    assert_true(rate_limiter_take(limiter, "2001:db8:0:1::1", 0).allowed);
    rate_limiter_free(limiter);
}

static void a_million_clients_take_the_place_of_the_oldest(void **state)
{
    (void)state;
    struct rate_limiter *limiter = rate_limiter_new(1, 1000000000, 1000);
    char client[64];
    for (unsigned i = 0; i < 1000000; i++) {
        (void)snprintf(client, sizeof client, "client %u of a name that is longer than any key: %u",
                       i, i);
        assert_true(rate_limiter_take(limiter, client, i).allowed);
    }
    /* The last thousand are still known, those before them forgotten. */
    (void)snprintf(client, sizeof client, "client %u of a name that is longer than any key: %u",
                   999000, 999000);
    assert_false(rate_limiter_look(limiter, client, 1000000).remaining > 0);
    (void)snprintf(client, sizeof client, "client %u of a name that is longer than any key: %u",
                   998999, 998999);
    assert_true(rate_limiter_look(limiter, client, 1000000).remaining > 0);
    rate_limiter_free(limiter);
}

static void renewed_windows_are_not_the_oldest(void **state)
{
    (void)state;
    struct rate_limiter *limiter = rate_limiter_new(1, 100, 2);
    (void)rate_limiter_take(limiter, "a", 0);
    (void)rate_limiter_take(limiter, "b", 50);
    (void)rate_limiter_take(limiter, "a", 100); /* ends at 200, b's at 150 */
    (void)rate_limiter_take(limiter, "c", 120); /* in b's place */
    assert_false(rate_limiter_take(limiter, "a", 130).allowed);
    assert_false(rate_limiter_take(limiter, "c", 130).allowed);
    assert_true(rate_limiter_take(limiter, "b", 130).allowed);
    rate_limiter_free(limiter);
}

static void one_client_is_enough_of_a_table(void **state)
{
    (void)state;
    struct rate_limiter *limiter = rate_limiter_new(1, 100, 0);
    assert_true(rate_limiter_take(limiter, "a", 0).allowed);
    assert_false(rate_limiter_take(limiter, "a", 0).allowed);
    assert_true(rate_limiter_take(limiter, "", 0).allowed);
    rate_limiter_free(limiter);
    rate_limiter_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limit_holds_within_a_window_and_ends_with_it),
        cmocka_unit_test(looking_does_not_count),
        cmocka_unit_test(addresses_of_one_ipv6_network_are_one_client),
        cmocka_unit_test(a_million_clients_take_the_place_of_the_oldest),
        cmocka_unit_test(renewed_windows_are_not_the_oldest),
        cmocka_unit_test(one_client_is_enough_of_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
