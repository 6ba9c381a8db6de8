/* SPDX-License-Identifier: MIT */
#include "broker/redis_private.h"
#include "fake_redis.h"

/* Those who wait say which of them is answered. */
static size_t answered[300];
static size_t answered_count;

static void on_answer(void *context, const struct redis_reply *reply)
{
    (void)reply;
    answered[answered_count++] = *(const size_t *)context;
}

static void add(struct redis_pending *pending, const size_t *number)
{
    assert_int_equal(redis_pending_add(pending, on_answer, (void *)number), 0);
}

/* Two come for each one that goes, so the ring grows while it goes round. */
static void the_oldest_is_answered_first(void **state)
{
    struct redis_pending pending = {0};
    size_t numbers[ARRAY_LEN(answered)];
    (void)state;
    answered_count = 0;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        numbers[i] = i;
        add(&pending, &numbers[i]);
        if (i % 2 == 1)
            redis_pending_answer(&pending, NULL);
    }
    assert_int_equal(pending.count, ARRAY_LEN(numbers) / 2);
    while (pending.count > 0)
        redis_pending_answer(&pending, NULL);
    assert_int_equal(answered_count, ARRAY_LEN(numbers));
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        assert_int_equal(answered[i], i);
    redis_pending_fini(&pending);
}

static void one_that_was_taken_back_is_not_answered(void **state)
{
    struct redis_pending pending = {0};
    const size_t numbers[] = {0, 1, 2};
    (void)state;
    answered_count = 0;
    add(&pending, &numbers[0]);
    add(&pending, &numbers[1]);
    redis_pending_take_back(&pending);
    add(&pending, &numbers[2]);
    while (pending.count > 0)
        redis_pending_answer(&pending, NULL);
    assert_int_equal(answered_count, 2);
    assert_int_equal(answered[0], 0);
    assert_int_equal(answered[1], 2);
    redis_pending_fini(&pending);
}

static void on_answer_add(void *context, const struct redis_reply *reply)
{
    static const size_t number = 7;
    (void)reply;
    add(context, &number);
}

static void whoever_is_answered_may_ask_again(void **state)
{
    struct redis_pending pending = {0};
    (void)state;
    answered_count = 0;
    assert_int_equal(redis_pending_add(&pending, on_answer_add, &pending), 0);
    redis_pending_answer(&pending, NULL);
    assert_int_equal(pending.count, 1);
    redis_pending_answer(&pending, NULL);
    assert_int_equal(answered_count, 1);
    redis_pending_fini(&pending);
}

static void more_than_the_most_are_refused(void **state)
{
    struct redis_pending pending = {0};
    (void)state;
    for (size_t i = 0; i < REDIS_PENDING_MAX; i++)
        assert_int_equal(redis_pending_add(&pending, NULL, NULL), 0);
    assert_int_equal(redis_pending_add(&pending, NULL, NULL), -1);
    redis_pending_answer(&pending, NULL);
    assert_int_equal(redis_pending_add(&pending, NULL, NULL), 0);
    redis_pending_fini(&pending);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_is_answered_first),
        cmocka_unit_test(one_that_was_taken_back_is_not_answered),
        cmocka_unit_test(whoever_is_answered_may_ask_again),
        cmocka_unit_test(more_than_the_most_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
