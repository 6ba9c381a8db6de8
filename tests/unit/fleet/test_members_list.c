/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "fleet/members_list.h"

static bool read_all(struct member_list *list, const struct member *const *members)
{
    bool is_changed = false;
    member_list_begin(list);
    for (; *members; members++)
        is_changed |= member_list_put(list, *members);
    return is_changed | member_list_end(list);
}

#define READ(list, ...) read_all((list), (const struct member *const[]){__VA_ARGS__, NULL})
#define READ_NOBODY(list) read_all((list), (const struct member *const[]){NULL})

static void workers_stand_before_fronts_and_by_name(void **state)
{
    const struct member a = {.name = "a"};
    const struct member b = {.name = "b", .is_worker = true};
    const struct member c = {.name = "a", .is_worker = true};
    struct member_list list = {0};
    (void)state;
    assert_true(READ(&list, &a, &b, &c));
    assert_int_equal(list.count, 3);
    assert_memory_equal(&list.seen[0].member, &c, sizeof c);
    assert_memory_equal(&list.seen[1].member, &b, sizeof b);
    assert_memory_equal(&list.seen[2].member, &a, sizeof a);
    assert_ptr_equal(member_list_find(&list, true, "b"), &list.seen[1].member);
    assert_null(member_list_find(&list, false, "b"));
    member_list_fini(&list);
}

static void a_change_is_told_and_a_sign_of_life_is_none(void **state)
{
    const struct member first = {.name = "w", .is_worker = true, .slots = 2, .started_ms = 7};
    struct member_list list = {0};
    struct member now = first;
    (void)state;
    assert_true(READ(&list, &now));
    now.last_seen_ms = 9;
    now.running = 1;
    now.load_milli = 3000;
    assert_false(READ(&list, &now));
    assert_int_equal(list.seen[0].member.running, 1);
    now.slots = 3;
    assert_true(READ(&list, &now));
    now.draining = true;
    assert_true(READ(&list, &now));
    now.started_ms = 8;
    assert_true(READ(&list, &now));
    memcpy(now.languages, "c", 2);
    assert_true(READ(&list, &now));
    member_list_fini(&list);
}

static void one_reading_without_somebody_proves_nothing(void **state)
{
    const struct member front = {.name = "f"};
    struct member_list list = {0};
    (void)state;
    assert_true(READ(&list, &front));
    assert_false(READ_NOBODY(&list));
    assert_false(READ_NOBODY(&list));
    assert_false(READ(&list, &front));
    assert_false(READ_NOBODY(&list));
    assert_false(READ_NOBODY(&list));
    assert_non_null(member_list_find(&list, false, "f"));
    assert_true(READ_NOBODY(&list));
    assert_null(member_list_find(&list, false, "f"));
    member_list_fini(&list);
}

static void a_language_is_one_that_a_worker_has_who_takes_jobs(void **state)
{
    static const struct {
        struct member member;
        const char *language;
        bool expected;
    } rows[] = {
        {{.is_worker = true, .languages = "c cpp python"}, "c", true},
        {{.is_worker = true, .languages = "c cpp python"}, "cpp", true},
        {{.is_worker = true, .languages = "c cpp python"}, "python", true},
        {{.is_worker = true, .languages = "cpp python"}, "c", false},
        {{.is_worker = true, .languages = "objective-c"}, "c", false},
        {{.is_worker = true, .languages = "python3 python"}, "python", true},
        {{.is_worker = true, .languages = "python3"}, "python", false},
        {{.is_worker = true, .languages = "c"}, "", false},
        {{.is_worker = true, .languages = ""}, "c", false},
        {{.is_worker = false, .languages = "c"}, "c", false},
        {{.is_worker = true, .draining = true, .languages = "c"}, "c", false},
        {{.is_worker = true, .without_broker = true, .languages = "c"}, "c", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct member_list list = {0};
        (void)READ(&list, &rows[i].member);
        assert_int_equal(member_list_has_language(&list, rows[i].language), rows[i].expected);
        member_list_fini(&list);
    }
}

static void sums_are_of_workers_who_take_jobs(void **state)
{
    const struct member rows[] = {
        {.name = "a", .is_worker = true, .slots = 6, .running = 2, .service_ms = 100},
        {.name = "b", .is_worker = true, .slots = 2, .running = 9, .service_ms = 500},
        {.name = "c", .is_worker = true, .slots = 4},
        {.name = "d", .is_worker = true, .slots = 4, .service_ms = 9999, .draining = true},
        {.name = "e", .is_worker = true, .slots = 4, .service_ms = 9999, .without_broker = true},
        {.name = "f", .slots = 100, .service_ms = 9999},
    };
    struct member_list list = {0};
    (void)state;
    assert_int_equal(member_list_sums(&list).service_ms, 0);
    (void)READ(&list, &rows[0], &rows[1], &rows[2], &rows[3], &rows[4], &rows[5]);
    struct member_sums sums = member_list_sums(&list);
    assert_int_equal(sums.slots, 12);
    assert_int_equal(sums.free_slots, 4 + 0 + 4);
    assert_int_equal(sums.service_ms, (6 * 100 + 2 * 500) / 8);
    member_list_fini(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_stand_before_fronts_and_by_name),
        cmocka_unit_test(a_change_is_told_and_a_sign_of_life_is_none),
        cmocka_unit_test(one_reading_without_somebody_proves_nothing),
        cmocka_unit_test(a_language_is_one_that_a_worker_has_who_takes_jobs),
        cmocka_unit_test(sums_are_of_workers_who_take_jobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
