/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "broker/redis_private.h"
#include "fake_redis.h"

/* Feeds `bytes` in pieces of `piece`; the replies that came of it, -1 when it was refused. */
static int feed(struct redis_answers *answers, struct slice bytes, size_t piece, struct err *err)
{
    int count = 0;
    for (size_t at = 0; at < bytes.len; at += piece) {
        struct slice part = {bytes.at + at, MIN(piece, bytes.len - at)};
        struct redis_reply *reply = NULL;
        int rc = redis_answers_feed(answers, part, err);
        while (rc == 0 && (rc = redis_answers_next(answers, &reply, err)) > 0) {
            redis_reply_free(reply);
            count++;
            rc = 0;
        }
        if (rc < 0)
            return -1;
    }
    return count;
}

static void answers_are_whole_however_they_are_cut(void **state)
{
    static const char text[] = "*3\r\n$5\r\nhello\r\n*2\r\n:7\r\n$-1\r\n-ERR no\r\n+OK\r\n*0\r\n";
    (void)state;
    for (size_t piece = 1; piece < sizeof text; piece++) {
        struct redis_answers answers;
        struct err err;
        assert_int_equal(redis_answers_init(&answers), 0);
        assert_int_equal(feed(&answers, slice_of(text), piece, &err), 3);
        redis_answers_fini(&answers);
    }
}

static void an_answer_cut_off_leaves_nothing_behind(void **state)
{
    static const char text[] = "*3\r\n$5\r\nhello\r\n*2\r\n:7\r\n$3\r\nabc\r\n$9\r\nworld\r\n";
    (void)state;
    for (size_t len = 1; len < sizeof text; len++) {
        struct redis_answers answers;
        struct err err;
        assert_int_equal(redis_answers_init(&answers), 0);
        assert_int_equal(feed(&answers, (struct slice){text, len}, 64, &err), 0);
        redis_answers_fini(&answers); /* the leak check has the rest */
    }
}

/* Many items, each allowed. */
static void the_sum_of_an_answer_is_bounded(void **state)
{
    struct redis_answers answers;
    struct err err;
    struct buf chunk;
    int rc = 0;
    (void)state;
    buf_init(&chunk, 2 * MIB);
    buf_add_format(&chunk, "$%d\r\n", 1000 * 1000);
    memset(buf_reserve(&chunk, 1000 * 1000), 'x', 1000 * 1000);
    buf_commit(&chunk, 1000 * 1000);
    buf_add_text(&chunk, "\r\n");
    assert_int_equal(redis_answers_init(&answers), 0);
    assert_int_equal(feed(&answers, slice_of("*1000\r\n"), 7, &err), 0);
    int count = 0;
    for (; count < 100 && rc == 0; count++)
        rc = feed(&answers, buf_slice(&chunk), 64 * KIB, &err);
    assert_int_equal(rc, -1);
    assert_in_range(count, 60, 68);
    assert_non_null(strstr(err.text, "more than 64 MiB"));
    redis_answers_fini(&answers);
    buf_fini(&chunk);
}

static void a_text_that_does_not_come_to_an_end_is_bounded(void **state)
{
    static const char *const heads[] = {"$9223372036854775807\r\n", "+", "*2\r\n+OK\r\n:"};
    static const size_t least[] = {64 * MIB, 64 * KIB, 64 * KIB};
    static char bytes[64 * 1024];
    (void)state;
    memset(bytes, '1', sizeof bytes);
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        struct redis_answers answers;
        struct err err;
        size_t fed = 0;
        assert_int_equal(redis_answers_init(&answers), 0);
        assert_int_equal(feed(&answers, slice_of(heads[i]), 64, &err), 0);
        while (feed(&answers, (struct slice){bytes, sizeof bytes}, sizeof bytes, &err) == 0)
            fed += sizeof bytes;
        assert_in_range(fed, least[i] - sizeof bytes, least[i]);
        redis_answers_fini(&answers);
    }
}

static void a_claim_costs_nothing(void **state)
{
    static const char *const claims[] = {"*2147483647\r\n", "*1400000\r\n*1400000\r\n",
                                         "*2147483648\r\n", "*-2\r\n"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
        struct redis_answers answers;
        struct err err;
        assert_int_equal(redis_answers_init(&answers), 0);
        assert_int_equal(feed(&answers, slice_of(claims[i]), 64, &err), -1);
        redis_answers_fini(&answers);
    }
}

static void a_number_is_read_from_what_holds_one(void **state)
{
    static const struct {
        struct redis_reply reply;
        uint64_t number;
    } rows[] = {
        {{.kind = REDIS_INTEGER, .integer = 7}, 7},
        {{.kind = REDIS_INTEGER, .integer = -7}, 0},
        {{.kind = REDIS_STRING, .text = {"18446744073709551615", 20}}, UINT64_MAX},
        {{.kind = REDIS_STRING, .text = {"18446744073709551616", 20}}, 0},
        {{.kind = REDIS_STRING, .text = {"12345", 2}}, 12},
        {{.kind = REDIS_STRING, .text = {"000000000000000000000001", 24}}, 0},
        {{.kind = REDIS_STRING, .text = {"7x", 2}}, 0},
        {{.kind = REDIS_STRING, .text = {"", 0}}, 0},
        {{.kind = REDIS_ERROR, .text = {"7", 1}}, 0},
        {{.kind = REDIS_NIL}, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(redis_reply_number(&rows[i].reply), rows[i].number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_whole_however_they_are_cut),
        cmocka_unit_test(an_answer_cut_off_leaves_nothing_behind),
        cmocka_unit_test(the_sum_of_an_answer_is_bounded),
        cmocka_unit_test(a_text_that_does_not_come_to_an_end_is_bounded),
        cmocka_unit_test(a_claim_costs_nothing),
        cmocka_unit_test(a_number_is_read_from_what_holds_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
