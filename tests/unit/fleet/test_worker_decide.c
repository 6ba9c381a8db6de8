/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "base/util.h"
#include "fleet/names.h"
#include "fleet/worker_decide.h"

/* Facts that are not named are those of a first delivery that may start at once; one that is
 * named twice is what is said last. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define FACTS(...)                                                                           \
    {                                                                                        \
        .known = true, .is_batch = true, .is_installed = true, .queue_ms = 1000, __VA_ARGS__ \
    }

/* clang-format off */
static const struct {
    const char *name;
    struct delivery_facts facts;
    enum delivery_action action;
} rows[] = {
    {"a first delivery starts", FACTS(.age_ms = 1000), DELIVERY_START},
    {"one that may wait for ever starts late", FACTS(.age_ms = UINT64_MAX, .queue_ms = 0), DELIVERY_START},
    {"one that has waited too long does not", FACTS(.age_ms = 1001), DELIVERY_TOO_LATE},
    {"a cancelled one does not start", FACTS(.is_cancelled = true), DELIVERY_CANCELLED},
    {"the cancel is told, not the deadline", FACTS(.is_cancelled = true, .age_ms = 1001), DELIVERY_CANCELLED},

    {"what has a result is done", FACTS(.has_result = true), DELIVERY_DROP},
    {"even when another has it", FACTS(.has_result = true, .leased = true), DELIVERY_DROP},
    {"even when we are ending", FACTS(.has_result = true, .draining = true), DELIVERY_DROP},
    {"even when it has ended workers", FACTS(.has_result = true, .begun = 9), DELIVERY_DROP},

    {"what another has waits", FACTS(.leased = true), DELIVERY_HOLD},
    {"its cancel is the other's to see", FACTS(.leased = true, .is_cancelled = true), DELIVERY_HOLD},
    {"its deadline, too", FACTS(.leased = true, .age_ms = 1001), DELIVERY_HOLD},

    {"who ends gives it back", FACTS(.draining = true), DELIVERY_GIVE_BACK},
    {"also what another has", FACTS(.draining = true, .leased = true), DELIVERY_GIVE_BACK},
    {"also what is cancelled", FACTS(.draining = true, .is_cancelled = true), DELIVERY_GIVE_BACK},

    {"a batch run begins again", FACTS(.begun = 1), DELIVERY_START},
    {"without a deadline", FACTS(.begun = 1, .age_ms = 1001), DELIVERY_START},
    {"also when it was given back", FACTS(.begun = 1, .given_back = 1, .age_ms = 1001), DELIVERY_START},
    {"until it has ended too many workers", FACTS(.begun = ATTEMPTS_MAX), DELIVERY_DEAD},
    {"a run somebody talked to does not begin again", FACTS(.begun = 1, .is_batch = false), DELIVERY_WORKER_LOST},
    {"it begins when no attempt had", FACTS(.deliveries = 5, .is_batch = false), DELIVERY_START},
    {"and waits no longer for that", FACTS(.deliveries = 5, .age_ms = 1001), DELIVERY_TOO_LATE},
    {"attempts that were given back do not count", FACTS(.begun = 5, .given_back = 5), DELIVERY_START},
    {"the others do", FACTS(.begun = 5, .given_back = 3), DELIVERY_DEAD},
    {"more given back than begun is none", FACTS(.begun = 1, .given_back = 3), DELIVERY_START},

    {"its language is elsewhere", FACTS(.is_installed = false, .is_elsewhere = true), DELIVERY_PASS_ON},
    {"but it comes back", FACTS(.is_installed = false, .is_elsewhere = true, .deliveries = HOPES_MAX), DELIVERY_NO_LANGUAGE},
    {"its language is nowhere", FACTS(.is_installed = false), DELIVERY_NO_LANGUAGE},
    {"a language that is here is not looked for", FACTS(.is_elsewhere = true), DELIVERY_START},

    /* Redis is away, or has forgotten: what it said before means nothing. */
    {"blind, it starts", FACTS(.blind = true), DELIVERY_START},
    {"blind, no result is known", FACTS(.blind = true, .has_result = true), DELIVERY_START},
    {"blind, no lease is known", FACTS(.blind = true, .leased = true), DELIVERY_START},
    {"blind, a cancel that we heard counts", FACTS(.blind = true, .is_cancelled = true), DELIVERY_CANCELLED},
    {"blind, what came back may have begun", FACTS(.blind = true, .deliveries = 1, .is_batch = false), DELIVERY_WORKER_LOST},
    {"blind, a batch run is tried more often", FACTS(.blind = true, .deliveries = BLIND_DELIVERIES_MAX - 1), DELIVERY_START},
    {"but not for ever", FACTS(.blind = true, .deliveries = BLIND_DELIVERIES_MAX), DELIVERY_DEAD},
    {"forgotten, it is as if we were blind", FACTS(.known = false, .deliveries = 1, .is_batch = false), DELIVERY_WORKER_LOST},
    {"forgotten, but with a result", FACTS(.known = false, .has_result = true), DELIVERY_DROP},
    {"forgotten, but leased", FACTS(.known = false, .leased = true), DELIVERY_HOLD},
};

static const struct {
    struct delivery_facts facts;
    unsigned attempt;
} attempts[] = {
    {FACTS(), 1},
    {FACTS(.deliveries = 7), 1},
    {FACTS(.begun = 1), 2},
    {FACTS(.begun = 3, .given_back = 3), 4}, /* what they said must not be taken for this one's */
    {FACTS(.blind = true, .begun = 3), 1},
    {FACTS(.blind = true, .deliveries = 2), 3},
    {FACTS(.known = false, .deliveries = 2), 3},
    {FACTS(.begun = UINT64_MAX), UINT32_MAX},
};
/* clang-format on */

static void each_delivery_is_decided(void **state)
{
    bool seen[DELIVERY_ACTIONS] = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum delivery_action action = worker_decide(&rows[i].facts);
        if (action != rows[i].action)
            fail_msg("%s: %d, not %d", rows[i].name, action, rows[i].action);
        seen[action] = true;
    }
    for (size_t i = 0; i < DELIVERY_ACTIONS; i++)
        assert_true(seen[i]);
}

/* Whatever the facts: nothing starts that has ended, is another's, or was stopped. */
static void nothing_starts_that_must_not(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 1U << 9; bits++) {
        for (uint64_t begun = 0; begun <= 3; begun++) {
            struct delivery_facts facts = {
                .draining = bits & 1,
                .blind = bits & 2,
                .known = bits & 4,
                .has_result = bits & 8,
                .leased = bits & 16,
                .is_cancelled = bits & 32,
                .is_batch = bits & 64,
                .is_installed = bits & 128,
                .is_elsewhere = bits & 256,
                .begun = begun,
                .deliveries = begun,
            };
            if (worker_decide(&facts) != DELIVERY_START)
                continue;
            assert_false(facts.draining || facts.is_cancelled || !facts.is_installed);
            assert_false(!facts.blind && (facts.has_result || facts.leased));
            assert_false(!facts.is_batch && begun > 0);
        }
    }
}

static void attempts_are_numbered_upwards(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++)
        assert_int_equal(worker_next_attempt(&attempts[i].facts), attempts[i].attempt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_delivery_is_decided),
        cmocka_unit_test(nothing_starts_that_must_not),
        cmocka_unit_test(attempts_are_numbered_upwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
