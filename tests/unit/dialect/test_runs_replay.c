/* SPDX-License-Identifier: MIT */
/* How much is read and written for the events of a run that only the store knows, over a
 * server and a store that are the test's own. */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdlib.h>
#include <string.h>

#include "dialect/request_answer.h"
#include "dialect/runs.h"
#include "dialect/runs_record.h"
#include "dialect/runs_replay.h"
#include "store/store.h"

struct http_request {
    bool others_wait; /* there is room for short answers only */
    bool is_refused;
    bool is_answered;
    size_t len; /* of what was answered */
};

static struct http_request request;
static size_t asked; /* of the store: bytes of events at most */
static char line[MIB];
static struct slice events = {line, 0}; /* as they are stored */
static bool fills_meanwhile;            /* others take the room while the store is asked */

static void store_events(size_t len)
{
    static const char head[] = "{\"n\":1,\"t\":0,\"type\":\"stdout\",\"data\":\"";
    memset(line, 'x', len);
    memcpy(line, head, sizeof head - 1);
    memcpy(line + len - 3, "\"}\n", 3);
    events.len = len;
}

/* --- the store --- */

void store_run_get(struct store *store, const char *id, size_t events_max, store_run_fn *done,
                   void *context)
{
    struct stored_run run = {.run = {.id = id}, .is_finished = true};
    (void)store;
    asked = events_max;
    run.lacks_events = events.len > events_max;
    if (!run.lacks_events)
        run.end.events = events;
    request.others_wait = request.others_wait || fills_meanwhile;
    done(context, &run, NULL);
}

/* --- the server --- */

bool http_may_answer(const struct http_request *asks, size_t len)
{
    return len < HTTP_ANSWER_LONG || !asks->others_wait;
}

void http_refuse_long(struct http_request *asks)
{
    asks->is_refused = true;
}

void http_reply_take(struct http_request *asks, int status, const char *content_type,
                     struct buf *body)
{
    (void)content_type;
    assert_int_equal(status, 200);
    assert_true(http_may_answer(asks, body->len));
    asks->is_answered = true;
    asks->len = body->len;
    buf_fini(body);
}

const char *http_request_capture(const struct http_request *asks, const char *name)
{
    (void)asks, (void)name;
    return "run_000000000000";
}

void http_add_header(struct http_request *asks, const char *name, const char *value)
{
    (void)asks, (void)name, (void)value;
}

void http_on_gone(struct http_request *asks, void (*gone)(void *context), void *context)
{
    (void)asks, (void)gone, (void)context;
}

/* --- what is asked on the way --- */

bool request_may_see(const struct http_request *asks, uint64_t owner)
{
    (void)asks, (void)owner;
    return true;
}

void request_answer_err(struct http_request *asks, const struct err *err)
{
    (void)asks, (void)err;
    abort();
}

void runs_answer_not_found(struct http_request *asks)
{
    (void)asks;
    abort();
}

void runs_answer_sought(struct http_request *asks)
{
    (void)asks;
    abort();
}

void runs_write_interrupted(struct json *json)
{
    (void)json;
    abort();
}

/* --- the tests --- */

static void ask(bool others_wait)
{
    struct runs runs = {0};
    request = (struct http_request){.others_wait = others_wait};
    replay_as_events(&runs, &request, 0);
}

static void test_long_ones_are_told_where_there_is_room(void **state)
{
    (void)state;
    store_events(sizeof line);
    ask(false);
    assert_true(request.is_answered);
    assert_true(request.len > sizeof line);
}

static void test_where_there_is_none_long_ones_are_not_even_read(void **state)
{
    (void)state;
    store_events(sizeof line);
    ask(true);
    assert_true(asked <= HTTP_ANSWER_LONG);
    assert_true(request.is_refused);
    assert_false(request.is_answered);
}

static void test_for_short_ones_there_is_always_room(void **state)
{
    (void)state;
    store_events(1000);
    ask(true);
    assert_true(request.is_answered);
    assert_false(request.is_refused);
}

static void test_room_that_was_taken_meanwhile_is_not_there(void **state)
{
    (void)state;
    fills_meanwhile = true;
    store_events(sizeof line);
    ask(false);
    fills_meanwhile = false;
    assert_true(request.is_refused);
    assert_false(request.is_answered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_ones_are_told_where_there_is_room),
        cmocka_unit_test(test_where_there_is_none_long_ones_are_not_even_read),
        cmocka_unit_test(test_for_short_ones_there_is_always_room),
        cmocka_unit_test(test_room_that_was_taken_meanwhile_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
